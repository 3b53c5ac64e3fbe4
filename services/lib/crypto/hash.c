// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

static void digest(const EVP_MD *algorithm, struct slice s, uint8_t *out, unsigned len) {
    unsigned written = 0;
    int ok = EVP_Digest(s.data, s.len, out, &written, algorithm, NULL);
    // Fails only when memory is out.
    PRE(ok == 1 && written == len);
}

// Looked up once: to find the algorithm anew costs as much as to hash a message.
static const EVP_MD *fetched_sha256;

static void fetch_sha256(void) {
    fetched_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    PRE(fetched_sha256 != NULL);
}

struct sha256 sha256_of(struct slice s) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sha256 out;
    (void) pthread_once(&once, fetch_sha256);
    digest(fetched_sha256, s, out.bytes, sizeof out.bytes);
    return out;
}

struct sha256 hmac_sha256(struct slice key, struct slice s) {
    struct sha256 out;
    unsigned len = 0;
    PRE(key.len <= INT32_MAX);
    // A null key would mean "the one before"; an empty one must not.
    const void *bytes = key.data ? (const void *) key.data : "";
    const void *ok = HMAC(EVP_sha256(), bytes, (int) key.len, s.data, s.len, out.bytes, &len);
    PRE(ok != NULL && len == sizeof out.bytes);
    return out;
}

struct sha1_hex sha1_hex_of(struct slice s) {
    static const char HEX[] = "0123456789abcdef";
    uint8_t bytes[20];
    struct sha1_hex out;
    digest(EVP_sha1(), s, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        out.text[2 * i] = HEX[bytes[i] >> 4];
        out.text[2 * i + 1] = HEX[bytes[i] & 15];
    }
    out.text[40] = '\0';
    return out;
}

bool hash_equal(struct slice a, struct slice b) {
    return a.len == b.len && CRYPTO_memcmp(a.data, b.data, a.len) == 0;
}
