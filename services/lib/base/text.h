// SPDX-License-Identifier: Apache-2.0
// UTF-8 and the names people give themselves.
#pragma once

#include <stdbool.h>

#include "base/slice.h"

// Takes the first character off a non-empty *rest. Bytes that are no UTF-8 (RFC 3629) are taken one
// by one: false, codepoint untouched.
bool text_next(struct slice *rest, uint32_t *codepoint);
// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF; NUL is refused too.
bool text_valid_utf8(struct slice s);
// Valid, and with something to see: not only spaces and zero-width characters.
bool text_visible(struct slice s);
// A display name or title: valid, visible, no control, bidi-override or line break, at most
// bytes_max bytes.
bool text_valid_name(struct slice s, size_t bytes_max);
// 3..32 characters [a-z0-9._-], first one a letter or digit.
bool text_valid_handle(struct slice s);
// The longest beginning of at most bytes_max bytes that cuts no UTF-8 character in two.
struct slice text_cut(struct slice s, size_t bytes_max);
