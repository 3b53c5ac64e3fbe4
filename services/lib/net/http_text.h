// SPDX-License-Identifier: Apache-2.0
// The words of HTTP answers. Private to net.
#pragma once

#include "base/buf.h"
#include "base/log.h"

// "Not Found"; "Status" for what has no name here.
const char *http_reason(int status);
// The JSON body of an answer that no handler wrote: {"code","retryable","ref"}.
void http_error_body(struct buf *out, int status, const struct log_ref *ref);
// A whole answer with that body and Connection: close. extra: more header lines with their CRLFs,
// or "".
void http_error_answer(struct buf *out, int status, const char *extra, const struct log_ref *ref);
