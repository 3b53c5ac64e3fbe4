// SPDX-License-Identifier: Apache-2.0
// Private to crypto: ECDSA on P-256 with SHA-256, in the forms of JOSE (RFC 7518 3.4, RFC 7638).
#pragma once

#include <openssl/types.h>

#include "base/buf.h"
#include "base/result.h"

#define ES256_COORDINATE_BYTES 32
#define ES256_SIGNATURE_BYTES 64
#define ES256_KID_LEN 43 // base64url of 32 bytes

struct es256_point {
    uint8_t x[ES256_COORDINATE_BYTES], y[ES256_COORDINATE_BYTES];
};

struct es256_kid {
    char text[ES256_KID_LEN + 1];
};

// INVALID: not a key of P-256.
MUST_USE enum result es256_point_of(const EVP_PKEY *key, struct es256_point *out);
// INVALID: not a point of the curve.
MUST_USE enum result es256_public(const struct es256_point *point, EVP_PKEY **out);
// RFC 7638 thumbprint.
struct es256_kid es256_kid_of(const struct es256_point *point);
// signature: r || s.
void es256_sign(EVP_PKEY *key, struct slice s, uint8_t signature[ES256_SIGNATURE_BYTES]);
bool es256_verify(EVP_PKEY *key, struct slice s, const uint8_t signature[ES256_SIGNATURE_BYTES]);
