// SPDX-License-Identifier: Apache-2.0
// Project Wycheproof's ECDSA vectors in fixed-length form. The environment variable
// CAUSEWAY_WYCHEPROOF names the folder testvectors_v1 of the Go module
// github.com/c2sp/wycheproof (go mod download); without it the test says that it was skipped.
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "crypto/es256.h"
#include "testing/testing.h"

#define BYTES_MAX 4096

static struct slice hex(const json_t *object, const char *name, uint8_t out[BYTES_MAX]) {
    const char *text = json_string_value(json_object_get(object, name));
    ck_assert_ptr_nonnull(text);
    size_t len = strlen(text) / 2;
    ck_assert_uint_le(len, BYTES_MAX);
    for (size_t i = 0; i < len; i++) ck_assert_int_eq(sscanf(text + 2 * i, "%2hhx", &out[i]), 1);
    return slice_of(out, len);
}

static EVP_PKEY *key_of(const json_t *group) {
    uint8_t bytes[BYTES_MAX];
    struct es256_point point;
    EVP_PKEY *key;
    struct slice text = hex(json_object_get(group, "publicKey"), "uncompressed", bytes);
    ck_assert_uint_eq(text.len, 1 + sizeof point.x + sizeof point.y);
    memcpy(point.x, bytes + 1, sizeof point.x);
    memcpy(point.y, bytes + 1 + sizeof point.x, sizeof point.y);
    ck_assert_int_eq(es256_public(&point, &key), OK);
    return key;
}

static void check_vector(EVP_PKEY *key, const json_t *vector) {
    uint8_t text[BYTES_MAX], bytes[BYTES_MAX];
    struct slice message = hex(vector, "msg", text), signature = hex(vector, "sig", bytes);
    const char *result = json_string_value(json_object_get(vector, "result"));
    bool good = signature.len == ES256_SIGNATURE_BYTES && es256_verify(key, message, bytes);
    ck_assert_msg(good == (strcmp(result, "valid") == 0), "%lld: %s",
                  (long long) json_integer_value(json_object_get(vector, "tcId")),
                  json_string_value(json_object_get(vector, "comment")));
}

START_TEST(agrees_with_every_vector) {
    const char *folder = getenv("CAUSEWAY_WYCHEPROOF");
    if (!folder || !*folder) {
        printf("skipped: wycheproof: needs CAUSEWAY_WYCHEPROOF\n");
        return;
    }
    char path[512];
    snprintf(path, sizeof path, "%s/ecdsa_secp256r1_sha256_p1363_test.json", folder);
    json_t *root = json_load_file(path, 0, NULL);
    const json_t *group, *vector;
    size_t i, k, count = 0;
    ck_assert_ptr_nonnull(root);
    json_array_foreach(json_object_get(root, "testGroups"), i, group) {
        EVP_PKEY *key = key_of(group);
        json_array_foreach(json_object_get(group, "tests"), k, vector) {
            check_vector(key, vector);
            count++;
        }
        EVP_PKEY_free(key);
    }
    ck_assert_uint_ge(count, 200);
    json_decref(root);
}
END_TEST

CHECK_MAIN("crypto/wycheproof", agrees_with_every_vector)
