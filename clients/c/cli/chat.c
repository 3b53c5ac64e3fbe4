// SPDX-License-Identifier: Apache-2.0
#include "cli/chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/dialog.h"
#include "cli/screen.h"
#include "loop/timer.h"
#include "loop/watch.h"

#define LINE_BYTES_MAX 65536
#define HISTORY_COUNT 10
#define SEND_WAIT_MS 30000

struct chat {
    struct loop *loop;
    struct home *home;
    struct dialog *dialog;
    struct watch *input;
    struct timer *file_input; // a file is always readable and cannot be watched
    struct buf line;
    const char *text; // of `send`, until it is on its way
    bool interactive, input_ended, over;
    int code;
    int64_t seen_seq;                // the last entry on the screen
    int64_t delivered_seq, read_seq; // the peer's cursor, as shown
    int64_t own_seq;                 // my last message
};

static void finish(struct chat *c, int code) {
    c->over = true;
    c->code = code;
}

// ---- what comes in ------------------------------------------------------------------------------

static void show(struct chat *c, const Pb__Entry *entry) {
    if (entry->seq <= c->seen_seq) return;
    bool own = strcmp(entry->sender_user_id, c->home->user_id) == 0;
    c->seen_seq = entry->seq;
    if (own) c->own_seq = entry->seq;
    if (c->interactive) screen_entry(stdout, entry, own ? "me" : dialog_peer_name(c->dialog));
}

static void show_cursor(struct chat *c, const Pb__Cursor *cursor) {
    if (strcmp(cursor->user_id, dialog_peer_id(c->dialog)) != 0) return;
    bool reads = c->own_seq && cursor->read_seq >= c->own_seq && c->read_seq < c->own_seq;
    bool has = c->own_seq && cursor->delivered_seq >= c->own_seq && c->delivered_seq < c->own_seq;
    if (cursor->read_seq > c->read_seq) c->read_seq = cursor->read_seq;
    if (cursor->delivered_seq > c->delivered_seq) c->delivered_seq = cursor->delivered_seq;
    if (!c->interactive || (!reads && !has)) return;
    printf("      %s\n", reads ? "vv read" : "vv delivered");
    (void) fflush(stdout);
}

static void show_verdict(struct chat *c, const Pb__Verdict *v) {
    bool accepted = v->code == PB__VERDICT_CODE__VERDICT_CODE_ACCEPTED;
    if (accepted && c->interactive) {
        printf("      v sent\n");
        (void) fflush(stdout);
    } else if (!accepted && v->error) {
        fprintf(stderr, "causeway: not sent: %s\n", v->error->message);
        if (!c->interactive) finish(c, 1);
    }
    if (c->interactive || c->text || dialog_outbox_count(c->dialog) > 0) return;
    if (!c->over && accepted) printf("sent, %lld\n", (long long) v->seq);
    if (!c->over) finish(c, 0);
}

static void show_presence(const struct chat *c, const Pb__PresenceUpdate *update) {
    static const char *const words[] = {"?", "offline", "online", "not known"};
    for (size_t i = 0; c->interactive && i < update->n_people; i++)
        if ((size_t) update->people[i]->state < COUNT_OF(words))
            printf("      %s is %s\n", dialog_peer_name(c->dialog),
                   words[update->people[i]->state]);
    (void) fflush(stdout);
}

static void on_news(void *arg, const struct causeway_effect *news) {
    struct chat *c = arg;
    switch (news->kind) {
    case CAUSEWAY_OUT_ENTRY:
        show(c, news->entry);
        dialog_read(c->dialog, news->entry->seq);
        break;
    case CAUSEWAY_OUT_HISTORY:
        for (size_t i = 0; i < news->history->n_entries; i++) show(c, news->history->entries[i]);
        dialog_read(c->dialog, c->seen_seq);
        break;
    case CAUSEWAY_OUT_CURSOR:
        show_cursor(c, news->cursor);
        break;
    case CAUSEWAY_OUT_VERDICT:
        show_verdict(c, news->verdict);
        break;
    case CAUSEWAY_OUT_PRESENCE:
        show_presence(c, news->presence);
        break;
    case CAUSEWAY_OUT_REFUSED:
        fprintf(stderr, "causeway: that cannot be sent (error %d)\n", (int) news->error_code);
        if (!c->interactive) finish(c, 1);
        break;
    case CAUSEWAY_OUT_STATE:
        if (c->interactive && news->state == CAUSEWAY_WAITING) fputs("      (no link)\n", stderr);
        break;
    default:
        break;
    }
}

static void on_failed(void *arg, const char *why) {
    fprintf(stderr, "causeway: %s\n", why);
    finish(arg, 1);
}

// ---- what goes out ------------------------------------------------------------------------------

static void send_text(void *arg) {
    struct chat *c = arg;
    const char *text = c->text;
    c->text = NULL;
    dialog_send(c->dialog, text);
}

static void say_line(struct chat *c, uint8_t *line) {
    if (*line) dialog_send(c->dialog, (const char *) line);
}

static void take_lines(struct chat *c) {
    uint8_t *end;
    while (c->line.len && (end = memchr(c->line.data, '\n', c->line.len))) {
        *end = 0;
        say_line(c, c->line.data);
        buf_consume(&c->line, (size_t) (end - c->line.data) + 1);
    }
}

static void read_input(void *arg) {
    struct chat *c = arg;
    uint8_t bytes[4096];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n > 0) {
        buf_append(&c->line, slice_of(bytes, (size_t) n));
        if (c->line.failed) buf_clear(&c->line); // no line is that long
        take_lines(c);
        return;
    }
    watch_stop(&c->input);
    timer_stop(&c->file_input);
    c->input_ended = true;
}

static void on_input(void *arg, int events) {
    (void) events;
    read_input(arg);
}

// Not before the conversation is there: what is said in it comes after its making.
static void start_input(struct chat *c) {
    struct stat st;
    if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode))
        c->file_input = timer_start(c->loop, 1, 1, read_input, c);
    else
        c->input = watch_start(c->loop, STDIN_FILENO, WATCH_READ, on_input, c);
}

static void on_open(void *arg, const Pb__Attached *attached) {
    struct chat *c = arg;
    (void) attached;
    if (!c->interactive) {
        loop_defer(c->loop, send_text, c);
        return;
    }
    dialog_history(c->dialog, HISTORY_COUNT);
    start_input(c);
}

static bool is_over(void *arg) {
    struct chat *c = arg;
    return c->over || (c->input_ended && dialog_outbox_count(c->dialog) == 0);
}

// ---- the whole ----------------------------------------------------------------------------------

static bool chat_open(struct chat *c, struct home *h, const char *peer_handle) {
    static const struct dialog_handler handler = {on_open, on_news, on_failed};
    c->loop = loop_new(clock_real());
    c->home = h;
    c->line = buf_init(LINE_BYTES_MAX);
    if (dialog_new(c->loop, h, peer_handle, &handler, c, &c->dialog) == OK) return true;
    loop_free(c->loop);
    buf_fini(&c->line);
    return false;
}

static int chat_close(struct chat *c) {
    watch_stop(&c->input);
    timer_stop(&c->file_input);
    loop_defer_cancel(c->loop, send_text, c);
    dialog_free(c->dialog);
    loop_free(c->loop);
    buf_fini(&c->line);
    return c->code;
}

int chat_run(struct home *h, const char *peer_handle) {
    struct chat c = {.interactive = true};
    if (!chat_open(&c, h, peer_handle)) return 1;
    (void) loop_run_until(c.loop, is_over, &c, UINT64_MAX);
    return chat_close(&c);
}

int chat_send(struct home *h, const char *peer_handle, const char *text) {
    struct chat c = {.text = text};
    if (!chat_open(&c, h, peer_handle)) return 1;
    if (!loop_run_until(c.loop, is_over, &c, SEND_WAIT_MS)) {
        fprintf(stderr, "causeway: no answer yet; it is kept and sent with the next call\n");
        c.code = 3;
    }
    return chat_close(&c);
}
