// SPDX-License-Identifier: Apache-2.0
// What the adapter's database keeps of seats: how far each conversation was handled, and which
// messages wait for a receipt.
#include <stdlib.h>

#include "xmpp/seats_in.h"

#define SAVE_MAX 1000u

static const struct query SAVE = {
    "progress_save",
    "insert into adapter.progress as p (user_id, conversation_id, tenant_id, handled_seq)"
    " select user_id, conversation_id, $1::uuid, seq from unnest($2::uuid[], $3::uuid[], "
    "$4::int8[])"
    " as n (user_id, conversation_id, seq) on conflict (user_id, conversation_id) do update"
    " set handled_seq = greatest(p.handled_seq, excluded.handled_seq)",
    4};

static const struct query DUES = {
    "inbound_dues",
    "select taken_id, seq, asked, told, stanza_id, addressee_jid, sender_jid"
    " from adapter.inbound"
    " where sender_user_id = $1 and conversation_id = $2 and state = 'accepted'"
    " and asked & ~told <> 0 and stanza_id <> '' order by seq desc limit 1000",
    2};

// --- saving --------------------------------------------------------------------------------------

static void on_saved(void *arg, const struct db_answer *answer) {
    (void) answer; // lazily: the next round writes what this one did not
    ((struct seats *) arg)->saving = false;
}

static bool to_save(const struct seat *seat) {
    return seat->unsettled == 0 && seat->applied_seq > seat->saved_seq;
}

void seats_save_progress(struct seats *s) {
    struct seat *list[SAVE_MAX];
    size_t n = 0;
    for (size_t i = 0; i < s->count && n < SAVE_MAX; i++) {
        if (to_save(s->all[i])) list[n++] = s->all[i];
    }
    if (n == 0 || s->saving) return;
    struct db_params *p = db_params_new();
    db_param_uuid(p, s->config.tenant_id);
    db_array(p, DB_UUID);
    for (size_t i = 0; i < n; i++) db_add_uuid(p, list[i]->person->user_id);
    db_array(p, DB_UUID);
    for (size_t i = 0; i < n; i++) db_add_uuid(p, list[i]->conversation_id);
    db_array(p, DB_I64);
    for (size_t i = 0; i < n; i++) db_add_i64(p, list[i]->applied_seq);
    s->saving = db_query(s->config.db, &SAVE, p, on_saved, s) == OK;
    for (size_t i = 0; s->saving && i < n; i++) list[i]->saved_seq = list[i]->applied_seq;
}

// --- dues ----------------------------------------------------------------------------------------

struct dues_read {
    struct seats *seats;
    struct seat *seat;
};

static bool known_due(const struct seat *seat, struct uuid taken_id) {
    LIST_FOR(node, &seat->dues) {
        if (uuid_equal(CONTAINER_OF(node, struct due, node)->taken_id, taken_id)) return true;
    }
    return false;
}

static char *text_of(struct slice s) {
    char *text = strndup((const char *) s.data, s.len);
    PRE(text);
    return text;
}

static void read_dues(struct seat *seat, struct db_rows *rows) {
    while (db_rows_next(rows)) {
        struct due *d = calloc(1, sizeof *d);
        PRE(d);
        d->taken_id = db_get_uuid(rows);
        d->seq = db_get_int(rows);
        d->asked = (uint8_t) db_get_int(rows);
        d->told = (uint8_t) db_get_int(rows);
        d->stanza_id = text_of(db_get_bytes(rows));
        d->from = text_of(db_get_bytes(rows));
        d->to = text_of(db_get_bytes(rows));
        if (known_due(seat, d->taken_id)) {
            due_free(d);
        } else {
            seat_due_add(seat, d);
        }
    }
    PRE(!db_rows_failed(rows));
}

static void tell(void *arg, struct seat *seat, const struct due *due, uint8_t now, bool by_newer) {
    struct seats *s = arg;
    s->handler.on_due(s->arg, seat, due, now, by_newer);
}

static void settle(struct seats *s, struct seat *seat) {
    seat_cursor(seat, seat->others_delivered_seq, seat->others_read_seq, tell, s);
}

static void on_dues(void *arg, const struct db_answer *answer) {
    struct dues_read *d = arg;
    d->seat->dues_loading = false;
    if (answer->result == OK) {
        d->seat->dues_loaded = true;
        read_dues(d->seat, answer->rows);
        settle(d->seats, d->seat);
    }
    free(d);
}

void seats_settle_dues(struct seats *s, struct seat *seat) {
    if (seat->dues_loaded) settle(s, seat);
    if (seat->dues_loaded || seat->dues_loading) return;
    struct dues_read *d = malloc(sizeof *d);
    PRE(d);
    *d = (struct dues_read){.seats = s, .seat = seat};
    struct db_params *p = db_params_new();
    db_param_uuid(p, seat->person->user_id);
    db_param_uuid(p, seat->conversation_id);
    seat->dues_loading = db_query(s->config.db, &DUES, p, on_dues, d) == OK;
    if (!seat->dues_loading) free(d);
}
