// SPDX-License-Identifier: Apache-2.0
#include "base/id.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/clock.h"

#define SHA1_BYTES 20

void random_bytes(void *out, size_t len) {
    uint8_t *at = out;
    while (len > 0) {
        ssize_t n = getrandom(at, len, 0);
        PRE(n > 0);
        at += n;
        len -= (size_t) n;
    }
}

uint64_t random_u64(void) {
    uint64_t v;
    random_bytes(&v, sizeof v);
    return v;
}

static void set_version(struct uuid *id, uint8_t version) {
    id->bytes[6] = (uint8_t) ((id->bytes[6] & 0x0f) | version << 4);
    id->bytes[8] = (id->bytes[8] & 0x3f) | 0x80;
}

struct uuid uuid_v7(int64_t wall_ms, const uint8_t random[10]) {
    PRE(wall_ms >= 0);
    struct uuid id;
    for (int i = 0; i < 6; i++) id.bytes[i] = (uint8_t) (wall_ms >> (40 - 8 * i));
    memcpy(id.bytes + 6, random, 10);
    set_version(&id, 7);
    return id;
}

struct uuid uuid_new(void) {
    uint8_t random[10];
    random_bytes(random, sizeof random);
    return uuid_v7(clock_wall_ms(clock_real()), random);
}

struct uuid uuid_v5(struct uuid ns, struct slice name) {
    uint8_t digest[SHA1_BYTES];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    PRE(ctx != NULL);
    bool ok = EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) &&
              EVP_DigestUpdate(ctx, ns.bytes, sizeof ns.bytes) &&
              EVP_DigestUpdate(ctx, name.data, name.len) && EVP_DigestFinal_ex(ctx, digest, NULL);
    EVP_MD_CTX_free(ctx);
    PRE(ok);
    struct uuid id;
    memcpy(id.bytes, digest, sizeof id.bytes);
    set_version(&id, 5);
    return id;
}

static int hex_value(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool dash_at(size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

enum result uuid_parse(struct slice text, struct uuid *out) {
    if (text.len != UUID_TEXT_LEN) return INVALID;
    struct uuid id = {0};
    size_t nibble = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (dash_at(i)) {
            if (text.data[i] != '-') return INVALID;
            continue;
        }
        int v = hex_value(text.data[i]);
        if (v < 0) return INVALID;
        id.bytes[nibble / 2] = (uint8_t) (id.bytes[nibble / 2] << 4 | v);
        nibble++;
    }
    *out = id;
    return OK;
}

struct uuid_text uuid_format(struct uuid id) {
    static const char digits[] = "0123456789abcdef";
    struct uuid_text t;
    size_t nibble = 0;
    for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
        if (dash_at(i)) {
            t.text[i] = '-';
            continue;
        }
        uint8_t byte = id.bytes[nibble / 2];
        t.text[i] = digits[nibble % 2 ? byte & 0x0f : byte >> 4];
        nibble++;
    }
    t.text[UUID_TEXT_LEN] = '\0';
    return t;
}

int uuid_compare(struct uuid a, struct uuid b) {
    return memcmp(a.bytes, b.bytes, sizeof a.bytes);
}

bool uuid_equal(struct uuid a, struct uuid b) {
    return uuid_compare(a, b) == 0;
}

bool uuid_is_nil(struct uuid id) {
    return uuid_equal(id, (struct uuid){0});
}

struct uuid direct_id(struct uuid tenant_id, struct uuid user_a, struct uuid user_b) {
    bool ordered = uuid_compare(user_a, user_b) < 0;
    struct uuid_text low = uuid_format(ordered ? user_a : user_b);
    struct uuid_text high = uuid_format(ordered ? user_b : user_a);
    char name[2 * UUID_TEXT_LEN + 2];
    int len = snprintf(name, sizeof name, "%s:%s", low.text, high.text);
    assert(len == (int) sizeof name - 1);
    return uuid_v5(tenant_id, slice_of(name, (size_t) len));
}

// Constants: FNV-1a 64 and the finaliser of MurmurHash3 (64-bit).
#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

static uint64_t fnv_add(uint64_t hash, struct slice s) {
    for (size_t i = 0; i < s.len; i++) hash = (hash ^ s.data[i]) * FNV_PRIME;
    return hash;
}

static uint64_t final_mix(uint64_t h) {
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

uint64_t stable_hash(struct slice s) {
    return final_mix(fnv_add(FNV_OFFSET, s));
}

unsigned shard_of(struct uuid conversation_id) {
    return (unsigned) (stable_hash(uuid_slice(&conversation_id)) % SHARD_COUNT);
}

uint64_t rendezvous_weight(struct slice node, unsigned shard) {
    PRE(shard < SHARD_COUNT);
    uint8_t suffix[] = {'/', (uint8_t) shard};
    return final_mix(fnv_add(fnv_add(FNV_OFFSET, node), slice_of(suffix, sizeof suffix)));
}
