// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include "raw_peer.h"
#include "testing/testing.h"

enum { SHORT_MS = 60, LONG_MS = 60000 };

static const char *const HOSTS[] = {"chat.test", NULL};

#define REQUEST "GET / HTTP/1.1\r\nHost: chat.test\r\n\r\n"

struct app {
    struct loop *loop;
    struct metrics *metrics;
    struct listener *listener;
    int heads;
    int fd; // given out and not yet back
    size_t bytes;
};

static void on_head(void *arg, int fd, struct slice bytes, const struct http_head *head) {
    struct app *a = arg;
    ck_assert_uint_le(head->len, bytes.len);
    a->heads++;
    a->fd = fd;
    a->bytes = bytes.len;
}

static struct listener_config config_of(uint32_t head_ms, uint32_t idle_ms) {
    return (struct listener_config){.host = "127.0.0.1",
                                    .connections_max = 10,
                                    .head_bytes_max = 8192,
                                    .head_deadline_ms = head_ms,
                                    .idle_ms = idle_ms,
                                    .share_port = true,
                                    .hosts = HOSTS};
}

static struct app *app_new(uint32_t head_ms, uint32_t idle_ms) {
    struct app *a = calloc(1, sizeof *a);
    a->loop = loop_new(clock_real());
    a->metrics = metrics_new();
    a->fd = -1;
    const struct listener_config config = config_of(head_ms, idle_ms);
    ck_assert_int_eq(listener_new(a->loop, &config, a->metrics, on_head, a, &a->listener), OK);
    return a;
}

static void app_free(struct app *a) {
    if (a->fd >= 0) listener_drop(a->listener, a->fd);
    listener_free(&a->listener);
    loop_free(a->loop);
    metrics_free(a->metrics);
    free(a);
}

static bool has_fd(void *arg) {
    return ((struct app *) arg)->fd >= 0;
}

static void wait_head(struct app *a) {
    ck_assert(loop_run_until(a->loop, has_fd, a, RAW_WAIT_MS));
}

static int take_fd(struct app *a) {
    wait_head(a);
    int fd = a->fd;
    a->fd = -1;
    return fd;
}

static struct raw_peer connect_raw(struct app *a) {
    return raw_connect(a->loop, listener_port(a->listener));
}

START_TEST(a_head_that_trickles_is_answered_408) {
    struct app *a = app_new(SHORT_MS, LONG_MS);
    struct raw_peer p = connect_raw(a);
    // Each byte comes in time, the whole does not.
    const char *text = REQUEST;
    for (size_t i = 0; i < strlen(text) - 1 && !p.ended; i++) {
        raw_send(&p, text + i, 1);
        (void) loop_run_until(a->loop, raw_has_ended, &p, SHORT_MS / 8);
    }
    raw_wait_end(&p);
    ck_assert(memcmp(p.data, "HTTP/1.1 408 ", 13) == 0);
    ck_assert(raw_text_has(&p, "\"code\":\"REQUEST_TIMEOUT\",\"retryable\":true,"));
    ck_assert_int_eq(a->heads, 0);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_silent_connection_is_answered_408) {
    struct app *a = app_new(SHORT_MS, LONG_MS);
    struct raw_peer p = connect_raw(a);
    raw_wait_end(&p);
    ck_assert(memcmp(p.data, "HTTP/1.1 408 ", 13) == 0);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_kept_connection_ends_silently) {
    struct app *a = app_new(LONG_MS, SHORT_MS);
    struct raw_peer p = connect_raw(a);
    raw_send_str(&p, REQUEST);
    listener_again(a->listener, take_fd(a), slice_of("", 0));
    raw_wait_end(&p);
    ck_assert_uint_eq(p.len, 0);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(a_kept_connection_has_the_head_deadline_again) {
    struct app *a = app_new(SHORT_MS, LONG_MS);
    struct raw_peer p = connect_raw(a);
    raw_send_str(&p, REQUEST);
    listener_again(a->listener, take_fd(a), slice_of("", 0));
    ck_assert(!loop_run_until(a->loop, raw_has_ended, &p, 2 * SHORT_MS));
    raw_send_str(&p, "GET");
    raw_wait_end(&p);
    ck_assert(memcmp(p.data, "HTTP/1.1 408 ", 13) == 0);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(bytes_given_back_are_the_next_head) {
    struct app *a = app_new(LONG_MS, LONG_MS);
    struct raw_peer p = connect_raw(a);
    raw_send_str(&p, REQUEST);
    int fd = take_fd(a);
    listener_again(a->listener, fd, slice_str(REQUEST "GET"));
    ck_assert_int_eq(a->heads, 1); // never from inside the call
    wait_head(a);
    ck_assert_int_eq(a->heads, 2);
    ck_assert_uint_eq(a->bytes, strlen(REQUEST) + 3);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(foreign_hosts_are_misdirected) {
    struct app *a = app_new(LONG_MS, LONG_MS);
    struct raw_peer p = connect_raw(a);
    raw_send_str(&p, "GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n");
    raw_wait_end(&p);
    ck_assert(memcmp(p.data, "HTTP/1.1 421 ", 13) == 0);
    raw_close(&p);
    struct counter *refused = metrics_counter(a->metrics, "causeway_http_refused_total", "", "");
    ck_assert_uint_eq(counter_value(refused), 1);
    app_free(a);
}
END_TEST

START_TEST(a_huge_head_is_431) {
    struct app *a = app_new(LONG_MS, LONG_MS);
    struct raw_peer p = connect_raw(a);
    raw_send_str(&p, "GET / HTTP/1.1\r\nHost: chat.test\r\nx: ");
    char *value = malloc(100000);
    memset(value, 'v', 100000);
    raw_send(&p, value, 100000);
    raw_wait_end(&p);
    ck_assert(memcmp(p.data, "HTTP/1.1 431 ", 13) == 0);
    free(value);
    raw_close(&p);
    app_free(a);
}
END_TEST

START_TEST(two_listeners_may_share_a_port) {
    struct app *a = app_new(LONG_MS, LONG_MS);
    struct listener *other;
    struct listener_config config = config_of(LONG_MS, LONG_MS);
    config.port = listener_port(a->listener);
    ck_assert_int_eq(listener_new(a->loop, &config, a->metrics, on_head, a, &other), OK);
    listener_pause(other); // who waits there is taken; from now on all come to the first
    for (int i = 0; i < 8; i++) {
        struct raw_peer p = connect_raw(a);
        raw_send_str(&p, REQUEST);
        listener_end(a->listener, take_fd(a));
        raw_wait_end(&p);
        raw_close(&p);
    }
    ck_assert_int_eq(a->heads, 8);
    listener_free(&other);
    app_free(a);
}
END_TEST

CHECK_MAIN("listener", a_head_that_trickles_is_answered_408, a_silent_connection_is_answered_408,
           a_kept_connection_ends_silently, a_kept_connection_has_the_head_deadline_again,
           bytes_given_back_are_the_next_head, foreign_hosts_are_misdirected, a_huge_head_is_431,
           two_listeners_may_share_a_port)
