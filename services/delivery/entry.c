// SPDX-License-Identifier: Apache-2.0
#include "delivery/entry.h"

#include "wire/pb.h"

const char *entry_uuid(struct arena *a, struct uuid id) {
    struct uuid_text text = uuid_format(id);
    const char *copy = arena_strndup(a, slice_of(text.text, UUID_TEXT_LEN));
    return copy ? copy : "";
}

static const char *copy_text(struct arena *a, struct slice s) {
    const char *copy = s.len ? arena_strndup(a, s) : "";
    return copy ? copy : "";
}

static Pb__Entry *entry_new(struct arena *a) {
    static const Pb__Entry empty = PB__ENTRY__INIT;
    Pb__Entry *e = arena_alloc(a, sizeof *e);
    if (e) *e = empty;
    return e;
}

static void set_hash(struct arena *a, Pb__Entry *e, struct slice hash) {
    struct slice copy = arena_copy(a, hash);
    e->payload_sha256 = (ProtobufCBinaryData){.len = copy.len, .data = (uint8_t *) copy.data};
}

static bool set_change(struct arena *a, Pb__Entry *e, struct slice bytes) {
    return PB_DECODE(change, Change, bytes, a, &e->change) == OK;
}

Pb__Entry *entry_from_write(struct arena *a, const struct batch *b, const struct write *w) {
    PRE(w->decision.kind == DECIDED_ENTRY);
    const struct command *c = w->command;
    Pb__Entry *e = entry_new(a);
    if (!e) return NULL;
    e->seq = w->decision.seq;
    e->committed_ms = b->committed_ms;
    e->sender_user_id = entry_uuid(a, c->user_id);
    e->sender_device_id = entry_uuid(a, c->device_id);
    e->device_seq = c->device_seq;
    e->client_msg_id = entry_uuid(a, c->client_msg_id);
    e->foreign_id = copy_text(a, slice_str(c->foreign_id));
    e->trace_id = copy_text(a, slice_str(c->trace_id));
    set_hash(a, e, slice_of(c->payload.bytes, sizeof c->payload.bytes));
    return set_change(a, e, buf_slice(&c->change)) ? e : NULL;
}

Pb__Entry *entry_from_row(struct arena *a, struct db_rows *r, size_t *change_bytes) {
    Pb__Entry *e = entry_new(a);
    if (!e) return NULL;
    e->seq = db_get_int(r);
    e->committed_ms = db_get_int(r);
    e->sender_user_id = entry_uuid(a, db_get_uuid(r));
    e->sender_device_id = entry_uuid(a, db_get_uuid(r));
    e->device_seq = (uint64_t) db_get_int(r);
    e->client_msg_id = entry_uuid(a, db_get_uuid(r));
    e->foreign_id = db_get_null(r) ? "" : copy_text(a, db_get_bytes(r));
    set_hash(a, e, db_get_bytes(r));
    e->trace_id = copy_text(a, db_get_bytes(r));
    struct slice change = db_get_bytes(r);
    *change_bytes = change.len;
    return set_change(a, e, change) && !db_rows_failed(r) ? e : NULL;
}
