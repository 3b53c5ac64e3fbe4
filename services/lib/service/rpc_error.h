// SPDX-License-Identifier: Apache-2.0
// The body of a refused call.
#pragma once

#include "base/buf.h"
#include "causeway/model/v1/model.pb-c.h"
#include "service/rpc_code.h"

// JSON, whatever the codec of the call: the error as a detail, and readable beside it.
void rpc_error_encode(enum connect_code connect, const Pb__Error *error, struct buf *out);
