// SPDX-License-Identifier: Apache-2.0
#include "world.h"

static struct world w;

static bool is_ready(void *arg) {
    const char *why;
    (void) arg;
    return auth_ready(w.auth, &why);
}

static bool has_database(void *arg) {
    (void) arg;
    return db_ready(w.auth->db);
}

static struct reply get_jwks(void) {
    char url[128];
    struct reply r = {0};
    snprintf(url, sizeof url, "%s" JWKS_PATH, w.auth_url);
    struct http_call call = {
        .method = "GET", .url = url, .timeout_ms = WAIT_MS, .answer_bytes_max = JWKS_BYTES_MAX};
    ck_assert_int_eq(http_client_send(w.client, &call, world_on_reply, &r), OK);
    world_wait(&w, &r);
    return r;
}

START_TEST(publishes_public_halves_only) {
    if (!world_start(&w, "auth/keys")) return;
    struct reply r = get_jwks();
    ck_assert_int_eq(r.status, 200);
    const json_t *keys = json_object_get(r.body, "keys"), *key;
    size_t i;
    ck_assert_uint_ge(json_array_size(keys), 1);
    json_array_foreach(keys, i, key) {
        ck_assert_ptr_null(json_object_get(key, "d"));
        ck_assert_uint_eq(json_object_size(key), 7);
    }
    reply_fini(&r);
    world_stop(&w);
}
END_TEST

// Two processes on one table: what one signs, the other's readers verify.
START_TEST(all_processes_have_the_same_keys) {
    if (!world_start(&w, "auth/keys")) return;
    char first[64];
    snprintf(first, sizeof first, "%s", signing_key_id(keys_signer(w.auth->keys)));
    auth_free(w.auth);
    w.auth = auth_new(&w.auth_config, w.loop, slice_str(INTERNAL_KEY), w.metrics);
    ck_assert(loop_run_until(w.loop, is_ready, NULL, WAIT_MS));
    ck_assert_str_eq(signing_key_id(keys_signer(w.auth->keys)), first);
    world_stop(&w);
}
END_TEST

START_TEST(without_the_secret_it_is_not_ready_and_refuses) {
    if (!world_start(&w, "auth/keys")) return; // makes the first key
    auth_free(w.auth);
    w.auth_config.signing_secret = "another secret of 32 bytes or more";
    w.auth = auth_new(&w.auth_config, w.loop, slice_str(INTERNAL_KEY), w.metrics);
    ck_assert(loop_run_until(w.loop, has_database, NULL, WAIT_MS));
    struct reply r = world_login(&w, "nobody-at-all", PASSWORD, "");
    ck_assert_str_eq(reply_code(&r), "UNAVAILABLE");
    reply_fini(&r);
    const char *why = "";
    ck_assert(!auth_ready(w.auth, &why));
    ck_assert_str_eq(why, "signing key");
    struct reply jwks = get_jwks();
    ck_assert_int_eq(jwks.status, 503);
    reply_fini(&jwks);
    world_stop(&w);
}
END_TEST

CHECK_MAIN("auth/keys_store", publishes_public_halves_only, all_processes_have_the_same_keys,
           without_the_secret_it_is_not_ready_and_refuses)
