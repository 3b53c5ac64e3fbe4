// SPDX-License-Identifier: Apache-2.0
#include "delivery/summary.h"

#include "delivery/entry.h"
#include "delivery/packed.h"

// Limits in it: 100 members are listed, others' cursors told up to 100 members; unread messages are
// counted one by one, without the person's own, up to 1,000; beyond, by the difference of numbers.
const struct query SQL_SUMMARY = {
    "summary",
    "select w.ord, e.epoch, w.id, c.kind, c.title, c.version, c.last_seq, n.members,"
    " coalesce(d.last, 0), coalesce(mine.delivered_seq, 0), least(c.last_seq, s.last_seq),"
    " s.stays, case when s.last_seq = 9223372036854775807 then (select"
    " string_agg(uuid_send(x.user_id) || int8send(x.joined_seq) || int8send(0) || int2send(x.role)"
    " || int2send(x.home), '') from (select * from delivery.member m where m.conversation_id ="
    " w.id and m.left_seq is null order by m.joined_seq, m.user_id limit 100) x) end, (select"
    " string_agg(uuid_send(x.user_id) || int8send(x.delivered_seq) || int8send(x.read_seq), '')"
    " from (select k.user_id, max(k.delivered_seq) delivered_seq, max(k.read_seq) read_seq from"
    " delivery.cursor k where k.conversation_id = w.id and (k.user_id = w.user_id or (n.members <="
    " 100 and s.last_seq = 9223372036854775807)) group by k.user_id) x), u.unread, m.seq,"
    " m.committed_ms, m.sender_user_id, m.device_id, m.device_seq, m.client_msg_id, m.foreign_id,"
    " m.payload_sha256, m.trace_id, m.change"
    " from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) with ordinality as w(id,"
    " tenant_id, user_id, device_id, ord) cross join delivery.store e"
    " left join lateral (select * from delivery.conversation x where x.conversation_id = w.id and"
    " x.tenant_id = w.tenant_id and x.kind <> 0 offset 0) c on true"
    " left join lateral (select string_agg(uuid_send(m.user_id) || int8send(m.joined_seq) ||"
    " int8send(coalesce(m.left_seq, 0)) || int2send(m.role) || int2send(m.home), '' order by"
    " m.joined_seq) stays, max(m.joined_seq) joined_seq, max(coalesce(m.left_seq,"
    " 9223372036854775807)) last_seq from delivery.member m where m.conversation_id ="
    " c.conversation_id and m.user_id = w.user_id) s on true"
    " left join lateral (select count(*) members from delivery.member m where m.conversation_id ="
    " c.conversation_id and m.left_seq is null) n on true"
    " left join lateral (select max(k.delivered_seq) delivered_seq, max(k.read_seq) read_seq from"
    " delivery.cursor k where k.conversation_id = c.conversation_id and k.user_id = w.user_id)"
    " mine on true"
    " left join lateral (select greatest(coalesce((select max(x.device_seq) from delivery.message"
    " x where x.conversation_id = w.id and x.device_id = w.device_id), 0), coalesce((select"
    " max(x.device_seq) from delivery.rejection x where x.conversation_id = w.id and x.device_id ="
    " w.device_id), 0)) as last) d on true"
    " left join lateral (select * from delivery.message x where x.conversation_id ="
    " c.conversation_id and x.seq = least(c.last_seq, s.last_seq) and s.stays is not null offset"
    " 0) m on true"
    " left join lateral (select case when r.behind <= 1000 then (select count(*) from"
    " delivery.message x where x.conversation_id = c.conversation_id and x.seq > r.since and x.seq"
    " <= m.seq and x.is_message and x.sender_user_id <> w.user_id) else r.behind end unread from"
    " (select f.since, m.message_number - coalesce((select x.message_number from delivery.message"
    " x where x.conversation_id = c.conversation_id and x.seq = f.since), 0) behind from (select"
    " greatest(coalesce(mine.read_seq, 0), s.joined_seq - 1) since) f) r) u on true order by w.ord",
    4};

// user_id joined_seq left_seq role home
#define STAY_BYTES (16 + 8 + 8 + 2 + 2)

static Pb__Member **take_stays(struct arena *a, struct slice packed, size_t *n) {
    static const Pb__Member empty = PB__MEMBER__INIT;
    *n = packed.len / STAY_BYTES;
    Pb__Member **list = arena_alloc(a, (*n + 1) * sizeof(Pb__Member *));
    Pb__Member *items = arena_alloc(a, (*n + 1) * sizeof *items);
    if (!list || !items) return NULL;
    for (size_t i = 0; i < *n; i++) {
        items[i] = empty;
        items[i].user_id = entry_uuid(a, packed_take_uuid(&packed));
        items[i].joined_seq = (int64_t) packed_take(&packed, 8);
        items[i].left_seq = (int64_t) packed_take(&packed, 8);
        items[i].role = (Pb__MemberRole) packed_take(&packed, 2);
        items[i].home = (Pb__Platform) packed_take(&packed, 2);
        list[i] = &items[i];
    }
    return list;
}

// user_id delivered_seq read_seq
#define CURSOR_BYTES (16 + 8 + 8)

static bool take_cursors(struct arena *a, struct slice packed, Pb__ConversationSummary *pb) {
    static const Pb__Cursor empty = PB__CURSOR__INIT;
    size_t n = packed.len / CURSOR_BYTES;
    Pb__Cursor **list = arena_alloc(a, (n + 1) * sizeof(Pb__Cursor *));
    Pb__Cursor *items = arena_alloc(a, (n + 1) * sizeof *items);
    if (!list || !items) return false;
    for (size_t i = 0; i < n; i++) {
        items[i] = empty;
        items[i].conversation_id = pb->conversation_id;
        items[i].epoch = pb->epoch;
        items[i].user_id = entry_uuid(a, packed_take_uuid(&packed));
        items[i].delivered_seq = (int64_t) packed_take(&packed, 8);
        items[i].read_seq = (int64_t) packed_take(&packed, 8);
        list[i] = &items[i];
    }
    pb->cursors = list;
    pb->n_cursors = n;
    return true;
}

static void skip(struct db_rows *r, unsigned n) {
    for (; n > 0; n--)
        if (!db_get_null(r)) (void) db_get_bytes(r);
}

static struct slice bytes_or_none(struct db_rows *r) {
    return db_get_null(r) ? slice_of(NULL, 0) : db_get_bytes(r);
}

static bool read_people(struct arena *a, struct db_rows *r, Pb__ConversationSummary *pb) {
    pb->my_stays = take_stays(a, db_get_bytes(r), &pb->n_my_stays);
    pb->members = take_stays(a, bytes_or_none(r), &pb->n_members);
    return pb->my_stays && pb->members && take_cursors(a, bytes_or_none(r), pb);
}

static bool read_found(struct arena *a, struct db_rows *r, struct summary *s) {
    Pb__ConversationSummary *pb = s->pb;
    size_t change_bytes;
    s->found = true;
    if (!read_people(a, r, pb)) return false;
    s->current = pb->n_my_stays > 0 && pb->my_stays[pb->n_my_stays - 1]->left_seq == 0;
    if (!s->current) pb->member_count = 0;
    if (!db_get_null(r)) pb->unread_count = (uint64_t) db_get_int(r);
    if (db_get_null(r)) {
        skip(r, ENTRY_COLUMN_COUNT - 1);
        return true;
    }
    pb->last_entry = entry_from_row(a, r, &change_bytes);
    return pb->last_entry != NULL;
}

static bool read_row(struct arena *a, struct db_rows *r, struct summary *s) {
    static const Pb__ConversationSummary empty = PB__CONVERSATION_SUMMARY__INIT;
    s->conversation_id = db_get_uuid(r);
    if (db_get_null(r)) return true; // no such conversation
    s->pb = arena_alloc(a, sizeof *s->pb);
    if (!s->pb) return false;
    *s->pb = empty;
    s->pb->conversation_id = entry_uuid(a, s->conversation_id);
    s->pb->epoch = s->epoch;
    s->pb->kind = (Pb__ConversationKind) db_get_int(r);
    s->pb->title = arena_strndup(a, db_get_bytes(r));
    s->version = db_get_int(r);
    s->row_last_seq = db_get_int(r);
    s->member_count = (uint32_t) db_get_int(r);
    s->pb->member_count = s->member_count;
    s->last_device_seq = (uint64_t) db_get_int(r);
    s->my_delivered_seq = db_get_int(r);
    s->pb->last_seq = db_get_int(r);
    if (db_get_null(r)) return true; // never a member
    return s->pb->title && read_found(a, r, s);
}

bool summary_read(struct arena *a, struct db_rows *r, struct summary *out) {
    *out = (struct summary){.ordinal = db_get_int(r)};
    out->epoch = (uint64_t) db_get_int(r);
    return read_row(a, r, out) && !db_rows_failed(r);
}

static void add_uuids(struct db_params *p, const struct uuid *ids, uint32_t n) {
    db_array(p, DB_UUID);
    for (uint32_t i = 0; i < n; i++) db_add_uuid(p, ids[i]);
}

void summary_add_params(struct db_params *p, const struct uuid *ids, const struct uuid *tenant_ids,
                        const struct uuid *user_ids, const struct uuid *device_ids, uint32_t n) {
    add_uuids(p, ids, n);
    add_uuids(p, tenant_ids, n);
    add_uuids(p, user_ids, n);
    add_uuids(p, device_ids, n);
}
