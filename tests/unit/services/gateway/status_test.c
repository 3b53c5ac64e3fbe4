// SPDX-License-Identifier: Apache-2.0
// The state of instances, which are real HTTP servers here.
#include "gateway/status.h"

#include "rig.h"

enum { ASK_MS = 20 };

struct instance {
    struct http_server *server;
    uint16_t port;
    int answer;
    bool keeps; // asked, and never answered
    struct http_request *kept;
    const char *body;
};

static struct rig rig;
static struct status *status;
static struct instance one, two;

static void serve_ready(void *app, struct http_request *r) {
    struct instance *in = app;
    if (in->keeps) {
        in->kept = r;
        return;
    }
    http_respond(r, &(struct http_answer){.status = in->answer,
                                          .content_type = "text/plain",
                                          .body = slice_str(in->body)});
}

static void serve_status(void *app, struct http_request *r) {
    (void) app;
    status_serve(status, r);
}

static const struct http_route instance_routes[] = {
    {.method = "GET", .path = "/readyz", .handle = serve_ready, .quiet = true}};
static const struct http_route front_routes[] = {
    {.method = "GET", .path = "/status", .handle = serve_status, .quiet = true}};

static void start(struct instance *in) {
    *in = (struct instance){.answer = 200, .body = "ok"};
    in->server = rig_serve(&rig, instance_routes, 1, in);
    in->port = http_server_port(in->server);
}

static void setup(void) {
    rig_open(&rig, 64);
    start(&one);
    start(&two);
    rig.front = rig_serve(&rig, front_routes, 1, NULL);
}

static void teardown(void) {
    http_client_free(rig.client); // before the status: its questions end now
    rig.client = NULL;
    status_free(status);
    http_server_free(one.server);
    http_server_free(two.server);
    rig_close(&rig);
}

static void open_status(bool both) {
    char nodes[512];
    int n = snprintf(nodes, sizeof nodes, "one=http://127.0.0.1:%u", one.port);
    if (both) snprintf(nodes + n, sizeof nodes - (size_t) n, ",two=http://127.0.0.1:%u,", two.port);
    ck_assert_int_eq(status_new(rig.loop, rig.client, nodes, ASK_MS, &status), OK);
}

// Asks by itself until the answer has the part.
static void wait_for(const char *name, const char *part) {
    char target[128];
    snprintf(target, sizeof target, "/status?name=%s", name);
    uint64_t until = clock_mono_ms(clock_real()) + RIG_WAIT_MS;
    do {
        ck_assert_int_eq(rig_get(&rig, target, ""), 200);
        if (strstr(rig.answer, part)) return;
    } while (clock_mono_ms(clock_real()) < until);
    ck_abort_msg("never '%s' in:\n%s", part, rig.answer);
}

static long long since_of(void) {
    const char *at = strstr(rig.answer, "\"since_ms\":");
    ck_assert_ptr_nonnull(at);
    return atoll(at + strlen("\"since_ms\":"));
}

START_TEST(before_the_first_answer_nothing_is_known) {
    setup();
    one.keeps = true;
    open_status(false);
    ck_assert_int_eq(rig_get(&rig, "/status", ""), 200);
    rig_expect(&rig, "application/json");
    ck_assert_str_eq(rig_body(&rig), "{\"instances\":[{\"name\":\"one\",\"state\":\"unknown\","
                                     "\"latency_ms\":0.000,\"since_ms\":0,\"reason\":\"\"}]}\n");
    teardown();
}
END_TEST

START_TEST(an_instance_is_ready_then_not_then_down_then_ready) {
    setup();
    int64_t began = clock_wall_ms(clock_real());
    open_status(false);
    wait_for("one", "\"state\":\"ready\"");
    rig_expect(&rig, "\"reason\":\"\"");
    ck_assert_int_ge(since_of(), began);
    one.answer = 503;
    one.body = "post\"gresql";
    wait_for("one", "\"state\":\"not_ready\"");
    rig_expect(&rig, "\"reason\":\"post\\\"gresql\"");
    one.body = "redis";
    long long since = since_of();
    wait_for("one", "\"reason\":\"redis\"");
    ck_assert_int_eq(since_of(), since); // the reason changed, the state did not
    http_server_free(one.server);
    one.server = NULL;
    wait_for("one", "\"state\":\"down\"");
    rig_expect(&rig, "\"reason\":\"no answer\"");
    teardown();
}
END_TEST

START_TEST(a_long_reason_is_cut) {
    static char text[2000];
    memset(text, 'x', sizeof text - 1);
    setup();
    one.answer = 500;
    one.body = text;
    open_status(false);
    wait_for("one", "\"state\":\"not_ready\"");
    const char *at = strstr(rig.answer, "\"reason\":\"");
    ck_assert_ptr_nonnull(at);
    size_t len = strspn(at + strlen("\"reason\":\""), "x");
    ck_assert_uint_gt(len, 50);
    ck_assert_uint_lt(len, 200);
    teardown();
}
END_TEST

START_TEST(each_has_its_own_state_and_a_name_shows_one) {
    setup();
    two.answer = 503;
    open_status(true);
    wait_for("one", "\"state\":\"ready\"");
    ck_assert_ptr_null(strstr(rig.answer, "two"));
    wait_for("two", "\"state\":\"not_ready\"");
    ck_assert_ptr_null(strstr(rig.answer, "one"));
    ck_assert_int_eq(rig_get(&rig, "/status?x=1&name=two", ""), 200);
    ck_assert_ptr_null(strstr(rig.answer, "\"one\""));
    ck_assert_int_eq(rig_get(&rig, "/status?names=two", ""), 200);
    rig_expect(&rig, "},{\"name\":\"two\"");
    ck_assert_int_eq(rig_get(&rig, "/status?name=thr", ""), 404);
    ck_assert_str_eq(rig_body(&rig), "{\"instances\":[]}\n");
    teardown();
}
END_TEST

static bool was_asked(void *arg) {
    return ((struct instance *) arg)->kept != NULL;
}

START_TEST(a_question_may_be_open_at_the_end) {
    setup();
    one.keeps = true;
    open_status(false);
    ck_assert(loop_run_until(rig.loop, was_asked, &one, RIG_WAIT_MS));
    http_client_free(rig.client);
    rig.client = NULL;
    ck_assert_int_eq(rig_get(&rig, "/status", ""), 200);
    rig_expect(&rig, "\"state\":\"down\"");
    http_respond(one.kept, &(struct http_answer){.status = 200});
    status_free(status);
    status = NULL;
    teardown();
}
END_TEST

START_TEST(malformed_lists_are_refused) {
    static const char *const bad[] = {"one", "=http://127.0.0.1:1", "one=", ",",
                                      "one=http://127.0.0.1:1,,two=http://127.0.0.1:2"};
    static char text[8192];
    setup();
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        ck_assert_msg(status_new(rig.loop, rig.client, bad[i], ASK_MS, &status) == INVALID, "%s",
                      bad[i]);
    memset(text, 'n', 64);
    strcpy(text + 64, "=http://127.0.0.1:1");
    ck_assert_int_eq(status_new(rig.loop, rig.client, text, ASK_MS, &status), INVALID);
    memset(text, 'u', 300);
    memcpy(text, "one=", 4);
    text[300] = 0;
    ck_assert_int_eq(status_new(rig.loop, rig.client, text, ASK_MS, &status), INVALID);
    text[0] = 0;
    for (unsigned i = 0; i <= STATUS_INSTANCES_MAX; i++) strcat(text, "n=http://127.0.0.1:1,");
    ck_assert_int_eq(status_new(rig.loop, rig.client, text, ASK_MS, &status), INVALID);
    ck_assert_ptr_null(status);
    teardown();
}
END_TEST

START_TEST(an_empty_list_has_no_instances) {
    setup();
    ck_assert_int_eq(status_new(rig.loop, rig.client, "", ASK_MS, &status), OK);
    ck_assert_int_eq(rig_get(&rig, "/status", ""), 200);
    ck_assert_str_eq(rig_body(&rig), "{\"instances\":[]}\n");
    ck_assert_int_eq(rig_get(&rig, "/status?name=one", ""), 404);
    teardown();
}
END_TEST

CHECK_MAIN("status", before_the_first_answer_nothing_is_known,
           an_instance_is_ready_then_not_then_down_then_ready, a_long_reason_is_cut,
           each_has_its_own_state_and_a_name_shows_one, a_question_may_be_open_at_the_end,
           malformed_lists_are_refused, an_empty_list_has_no_instances)
