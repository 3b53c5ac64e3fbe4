// SPDX-License-Identifier: Apache-2.0
#include "crypto/es256.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "crypto/hash.h"

#define POINT_BYTES (1 + 2 * ES256_COORDINATE_BYTES) // 0x04, x, y
#define DER_BYTES_MAX 80                             // of a signature: 72 at most

enum result es256_point_of(const EVP_PKEY *key, struct es256_point *out) {
    uint8_t point[POINT_BYTES];
    char group[32];
    size_t len = 0;
    if (!EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL))
        return INVALID;
    if (strcmp(group, "prime256v1") != 0) return INVALID;
    if (!EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len))
        return INVALID;
    if (len != sizeof point || point[0] != POINT_CONVERSION_UNCOMPRESSED) return INVALID;
    memcpy(out->x, point + 1, sizeof out->x);
    memcpy(out->y, point + 1 + sizeof out->x, sizeof out->y);
    return OK;
}

enum result es256_public(const struct es256_point *point, EVP_PKEY **out) {
    uint8_t bytes[POINT_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    char group[] = "prime256v1";
    memcpy(bytes + 1, point->x, sizeof point->x);
    memcpy(bytes + 1 + sizeof point->x, point->y, sizeof point->y);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof bytes),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    bool made = context && EVP_PKEY_fromdata_init(context) == 1 &&
                EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(context);
    if (!made) return INVALID;
    *out = key;
    return OK;
}

struct es256_kid es256_kid_of(const struct es256_point *point) {
    AUTO(buf) struct buf json = buf_init(256);
    AUTO(buf) struct buf text = buf_init(64);
    // Members in this order and without spaces, as RFC 7638 3.2 demands.
    buf_append_str(&json, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
    base64url_encode(slice_of(point->x, sizeof point->x), &json);
    buf_append_str(&json, "\",\"y\":\"");
    base64url_encode(slice_of(point->y, sizeof point->y), &json);
    buf_append_str(&json, "\"}");
    struct sha256 hash = sha256_of(buf_slice(&json));
    base64url_encode(slice_of(hash.bytes, sizeof hash.bytes), &text);
    PRE(!json.failed && text.len == ES256_KID_LEN);

    struct es256_kid kid = {0};
    memcpy(kid.text, text.data, ES256_KID_LEN);
    return kid;
}

void es256_sign(EVP_PKEY *key, struct slice s, uint8_t signature[ES256_SIGNATURE_BYTES]) {
    uint8_t der[DER_BYTES_MAX];
    size_t len = sizeof der;
    const uint8_t *at = der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    // Fails only when memory is out.
    PRE(context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1);
    PRE(EVP_DigestSign(context, der, &len, s.data, s.len) == 1);
    EVP_MD_CTX_free(context);

    ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long) len);
    PRE(parts != NULL);
    int r = BN_bn2binpad(ECDSA_SIG_get0_r(parts), signature, ES256_COORDINATE_BYTES);
    int t = BN_bn2binpad(ECDSA_SIG_get0_s(parts), signature + r, ES256_COORDINATE_BYTES);
    PRE(r + t == ES256_SIGNATURE_BYTES);
    ECDSA_SIG_free(parts);
}

// The DER form that OpenSSL verifies; 0: memory is out.
static size_t to_der(const uint8_t signature[ES256_SIGNATURE_BYTES], uint8_t der[DER_BYTES_MAX]) {
    BIGNUM *r = BN_bin2bn(signature, ES256_COORDINATE_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(signature + ES256_COORDINATE_BYTES, ES256_COORDINATE_BYTES, NULL);
    ECDSA_SIG *parts = ECDSA_SIG_new();
    if (!parts || ECDSA_SIG_set0(parts, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(parts);
        return 0;
    }
    int len = i2d_ECDSA_SIG(parts, &der);
    ECDSA_SIG_free(parts);
    assert(len <= DER_BYTES_MAX);
    return len > 0 ? (size_t) len : 0;
}

bool es256_verify(EVP_PKEY *key, struct slice s, const uint8_t signature[ES256_SIGNATURE_BYTES]) {
    uint8_t der[DER_BYTES_MAX];
    size_t len = to_der(signature, der);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = len > 0 && context &&
              EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestVerify(context, der, len, s.data, s.len) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}
