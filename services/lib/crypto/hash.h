// SPDX-License-Identifier: Apache-2.0
// Digests, MACs and comparisons over OpenSSL.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"

struct sha256 {
    uint8_t bytes[32];
};

struct sha256 sha256_of(struct slice s);
struct sha256 hmac_sha256(struct slice key, struct slice s);
// Lower-case hexadecimal of SHA-1(s): only for XEP-0114's handshake.
struct sha1_hex {
    char text[41];
} sha1_hex_of(struct slice s);
// Constant-time for equal lengths.
bool hash_equal(struct slice a, struct slice b);

// base64url without padding (RFC 4648 5). Decoding refuses padding, spaces and non-canonical ends.
void base64url_encode(struct slice s, struct buf *out);
MUST_USE enum result base64url_decode(struct slice text, struct buf *out);
// base64 with padding, for JSON.
void base64_encode(struct slice s, struct buf *out);
// Accepts both alphabets, padding optional (as ProtoJSON demands).
MUST_USE enum result base64_decode_any(struct slice text, struct buf *out);
