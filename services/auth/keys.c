// SPDX-License-Identifier: Apache-2.0
#include "auth/keys.h"

#include <stdlib.h>

#include "auth/store.h"
#include "base/log.h"
#include "loop/timer.h"

#define RETRY_MS 250
#define RELOAD_MS 60000

// The keys in use, oldest first.
struct ring {
    struct signing_key *items[KEY_SET_MAX];
    int64_t created_ms[KEY_SET_MAX];
    size_t n;
};

struct keys {
    struct loop *loop;
    struct db *db;
    struct slice secret;
    struct ring ring;
    struct buf jwks;
    struct timer *timer;
    struct gauge *count;
};

size_t keys_choose(const int64_t *created_ms, size_t n, int64_t now_ms) {
    PRE(n > 0);
    size_t chosen = 0;
    for (size_t i = 1; i < n; i++)
        if (created_ms[i] <= now_ms - KEY_SPREAD_MS) chosen = i;
    return chosen;
}

static void ring_fini(struct ring *r) {
    for (size_t i = 0; i < r->n; i++) signing_key_free(r->items[i]);
    r->n = 0;
}

static void load(void *arg);

static void load_in(struct keys *k, uint64_t delay_ms) {
    timer_stop(&k->timer);
    k->timer = timer_start(k->loop, delay_ms, 0, load, k);
}

static void write_jwks(struct keys *k) {
    buf_clear(&k->jwks);
    buf_append_str(&k->jwks, "{\"keys\":[");
    for (size_t i = 0; i < k->ring.n; i++) {
        if (i > 0) buf_append_byte(&k->jwks, ',');
        signing_key_jwk(k->ring.items[i], &k->jwks);
    }
    buf_append_str(&k->jwks, "]}\n");
    PRE(!k->jwks.failed);
}

// Takes the ring.
static void use(struct keys *k, const struct ring *fresh) {
    ring_fini(&k->ring);
    k->ring = *fresh;
    gauge_set(k->count, (int64_t) fresh->n);
    write_jwks(k);
    load_in(k, RELOAD_MS);
}

static enum result read_ring(const struct keys *k, const struct db_answer *answer,
                             struct ring *out) {
    struct stored_key stored;
    enum result result;
    while ((result = store_next_key(answer, &stored)) == OK) {
        PRE(out->n < KEY_SET_MAX);
        result = signing_key_import(stored.pem_encrypted, k->secret, &out->items[out->n]);
        if (result != OK) return result;
        out->created_ms[out->n++] = stored.created_ms;
    }
    return result == NOT_FOUND ? OK : result;
}

static void on_made(void *arg, const struct db_answer *answer) {
    struct keys *k = arg;
    if (answer->result == OK && answer->affected == 1) log_event(LOG_INFO, "signing_key_made");
    load_in(k, answer->result == OK ? 0 : RETRY_MS);
}

static enum result make_first(struct keys *k) {
    struct signing_key *key;
    AUTO(buf) struct buf pem = buf_init(SIGNING_PEM_BYTES_MAX);
    enum result result = signing_key_new(&key);
    if (result != OK) return result;
    result = signing_key_export(key, k->secret, &pem);
    struct stored_key stored = {.pem_encrypted = buf_slice(&pem),
                                .created_ms = clock_wall_ms(loop_clock(k->loop))};
    if (result == OK)
        result = store_insert_first_key(k->db, signing_key_id(key), &stored, on_made, k);
    signing_key_free(key);
    return result;
}

// What is in force stays so until something better was read.
static void on_failed(struct keys *k, enum result result) {
    const char *hint =
        result == INVALID ? "signing_secret_file is not the one that the keys were made with" : "";
    log_event(LOG_WARN, "signing_keys_not_loaded", LSTR("result", result_name(result)),
              LSTR("hint", hint));
    load_in(k, RETRY_MS);
}

static void on_loaded(void *arg, const struct db_answer *answer) {
    struct keys *k = arg;
    struct ring fresh = {0};
    enum result result = read_ring(k, answer, &fresh);
    if (result == OK && fresh.n > 0) {
        use(k, &fresh);
        return;
    }
    ring_fini(&fresh);
    if (result == OK) result = make_first(k);
    if (result != OK) on_failed(k, result);
}

static void load(void *arg) {
    struct keys *k = arg;
    if (!db_ready(k->db) || store_load_keys(k->db, on_loaded, k) != OK) load_in(k, RETRY_MS);
}

struct keys *keys_new(struct loop *l, struct db *db, struct slice secret, struct metrics *m) {
    PRE(secret.len >= SIGNING_SECRET_BYTES_MIN);
    struct keys *k = calloc(1, sizeof *k);
    PRE(k != NULL);
    k->loop = l;
    k->db = db;
    k->secret = secret;
    k->jwks = buf_init(JWKS_BYTES_MAX);
    k->count = metrics_gauge(m, "causeway_signing_keys", "", "Signing keys in use.");
    load_in(k, 0);
    return k;
}

void keys_free(struct keys *k) {
    if (!k) return;
    timer_stop(&k->timer);
    ring_fini(&k->ring);
    buf_fini(&k->jwks);
    free(k);
}

bool keys_ready(const struct keys *k) {
    return k->ring.n > 0;
}

const struct signing_key *keys_signer(const struct keys *k) {
    if (k->ring.n == 0) return NULL;
    int64_t now_ms = clock_wall_ms(loop_clock(k->loop));
    return k->ring.items[keys_choose(k->ring.created_ms, k->ring.n, now_ms)];
}

struct slice keys_jwks(const struct keys *k) {
    return buf_slice(&k->jwks);
}
