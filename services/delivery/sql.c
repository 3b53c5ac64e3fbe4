// SPDX-License-Identifier: Apache-2.0
#include "delivery/sql.h"

// A shard is moved by whoever closes it under `for update`, which waits for the statements that
// hold it.
#define WANTED                                                                                   \
    "with want as (select *"                                                                     \
    " from unnest($1::uuid[], $2::int8[], $3::int8[], $4::int8[], $5::int2[], $6::int8[],"       \
    " $7::int8[], $8::uuid[], $9::int2[], $10::text[]) as w(id, version, epoch, next_version,"   \
    " shard, last_seq, message_count, tenant_id, kind, title)),"                                 \
    " open as (select s.shard from delivery.shard s where s.open and s.shard in (select w.shard" \
    " from want w) for key share skip locked),"

// A row somebody holds counts as not matched: nothing waits behind a frozen holder, nothing
// deadlocks. Here and below `lateral` (with a row lock or `offset 0`) and `= any(array(...))` keep
// the one generic plan going by key, however small the tables were when it was made.
#define UPDATED                                                                                    \
    " taken as materialized (select c.id from (select w.id, w.version from want w join"            \
    " delivery.store e on e.epoch = w.epoch join open o on o.shard = w.shard order by w.id) w"     \
    " cross join lateral (select x.conversation_id as id from delivery.conversation x where"       \
    " x.conversation_id = w.id and x.version = w.version for no key update skip locked) c),"       \
    " won as (update delivery.conversation c set version = w.next_version, last_seq = w.last_seq," \
    " message_count = w.message_count, tenant_id = w.tenant_id, kind = w.kind, title ="            \
    " coalesce(w.title, c.title), active_ms = case when w.last_seq > c.last_seq then $11::int8"    \
    " else c.active_ms end from want w where c.conversation_id = w.id and c.conversation_id ="     \
    " any(array(select t.id from taken t))"                                                        \
    " returning c.conversation_id as id, c.tenant_id, c.shard),"

#define INSERTED                                                                                  \
    " won as (insert into delivery.conversation (conversation_id, tenant_id, shard, kind, title," \
    " version, last_seq, message_count, created_ms, active_ms)"                                   \
    " select w.id, w.tenant_id, w.shard, w.kind, coalesce(w.title, ''), w.next_version,"          \
    " w.last_seq, w.message_count, $11::int8, $11::int8 from want w join delivery.store e on"     \
    " e.epoch = w.epoch join open o on o.shard = w.shard order by w.id"                           \
    " on conflict do nothing"                                                                     \
    " returning conversation_id as id, tenant_id, shard),"

#define ENTRIES                                                                                    \
    " entry as (insert into delivery.message (conversation_id, seq, tenant_id, sender_user_id,"    \
    " device_id, device_seq, client_msg_id, foreign_id, payload_sha256, is_message,"               \
    " message_number, change, trace_id, committed_ms)"                                             \
    " select m.id, m.seq, won.tenant_id, m.sender, m.device, m.device_seq, m.client_msg_id,"       \
    " m.foreign_id, m.payload, m.is_message, m.number, m.change, m.trace_id, $11::int8"            \
    " from unnest($12::uuid[], $13::int8[], $14::uuid[], $15::uuid[], $16::int8[], $17::uuid[],"   \
    " $18::text[], $19::bytea[], $20::bool[], $21::int8[], $22::bytea[], $23::text[]) as m(id,"    \
    " seq, sender, device, device_seq, client_msg_id, foreign_id, payload, is_message, number,"    \
    " change, trace_id) join won on won.id = m.id),"                                               \
    " event as (insert into delivery.outbox (shard, conversation_id, seq) select won.shard, m.id," \
    " m.seq"                                                                                       \
    " from unnest($12::uuid[], $13::int8[]) as m(id, seq) join won on won.id = m.id)"

#define THE_REST                                                                                   \
    ", refusal as (insert into delivery.rejection (conversation_id, tenant_id, sender_user_id,"    \
    " device_id, device_seq, foreign_id, payload_sha256, code, accepted_seq, committed_ms)"        \
    " select r.id, r.tenant_id, r.sender, r.device, r.device_seq, r.foreign_id, r.payload,"        \
    " r.code, r.accepted_seq, $11::int8"                                                           \
    " from unnest($24::uuid[], $25::uuid[], $26::uuid[], $27::uuid[], $28::int8[], $29::text[],"   \
    " $30::bytea[], $31::int2[], $32::int8[]) as r(id, tenant_id, sender, device, device_seq,"     \
    " foreign_id, payload, code, accepted_seq) join won on won.id = r.id),"                        \
    " joined as (insert into delivery.member (conversation_id, user_id, joined_seq, left_seq,"     \
    " role, home)"                                                                                 \
    " select s.id, s.user_id, s.joined_seq, s.left_seq, s.role, s.home"                            \
    " from unnest($33::uuid[], $34::uuid[], $35::int8[], $36::int8[], $37::int2[], $38::int2[])"   \
    " as s(id, user_id, joined_seq, left_seq, role, home) join won on won.id = s.id),"             \
    " ended as (update delivery.member m set left_seq = s.left_seq"                                \
    " from unnest($39::uuid[], $40::uuid[], $41::int8[], $42::int8[]) as s(id, user_id,"           \
    " joined_seq, left_seq) join won on won.id = s.id where m.conversation_id = s.id and"          \
    " m.user_id = s.user_id and m.joined_seq = s.joined_seq and m.conversation_id ="               \
    " any($39::uuid[])),"                                                                          \
    " fenced as (insert into delivery.fence as f (conversation_id, platform, incarnation)"         \
    " select k.id, k.platform, k.incarnation"                                                      \
    " from unnest($43::uuid[], $44::int2[], $45::int8[]) as k(id, platform, incarnation) join won" \
    " on won.id = k.id order by 1, 2"                                                              \
    " on conflict (conversation_id, platform) do update set incarnation = greatest(f.incarnation," \
    " excluded.incarnation))"

const struct query SQL_COMMIT_ENTRIES = {"commit_entries",
                                         WANTED UPDATED ENTRIES " select id from won", 23};

const struct query SQL_COMMIT = {"commit", WANTED UPDATED ENTRIES THE_REST " select id from won",
                                 45};

const struct query SQL_CREATE = {"create", WANTED INSERTED ENTRIES THE_REST " select id from won",
                                 45};

const struct query SQL_LOAD = {
    "load",
    "select w.ord, e.epoch, c.tenant_id, c.kind, c.version, c.last_seq, c.message_count, case when"
    " c.version is distinct from w.version then (select coalesce(string_agg(uuid_send(m.user_id)"
    " || int8send(m.joined_seq) || int2send(m.role) || int2send(m.home), ''), '') from"
    " delivery.member m where m.conversation_id = w.id and m.left_seq is null) end, (select"
    " string_agg(int2send(f.platform) || int8send(f.incarnation), '') from delivery.fence f where"
    " f.conversation_id = w.id), (select string_agg(uuid_send(d.id) ||"
    " int8send(greatest(coalesce((select max(m.device_seq) from delivery.message m where"
    " m.conversation_id = w.id and m.device_id = d.id), 0), coalesce((select max(r.device_seq)"
    " from delivery.rejection r where r.conversation_id = w.id and r.device_id = d.id), 0))), '')"
    " from unnest(($5::uuid[])[w.first_device:w.last_device]) as d(id))"
    " from unnest($1::uuid[], $2::int8[], $3::int4[], $4::int4[]) with ordinality as w(id,"
    " version, first_device, last_device, ord) cross join delivery.store e"
    " left join lateral (select * from delivery.conversation x where x.conversation_id = w.id"
    " offset 0) c on true",
    5};

const struct query SQL_STORED = {
    "stored",
    "select w.ord, m.seq, m.payload_sha256, m.committed_ms, r.payload_sha256, r.code,"
    " r.accepted_seq, coalesce((select a.committed_ms from delivery.message a where"
    " a.conversation_id = w.id and a.seq = r.accepted_seq), r.committed_ms)"
    " from unnest($1::uuid[], $2::uuid[], $3::int8[]) with ordinality as w(id, device, device_seq,"
    " ord)"
    " left join lateral (select * from delivery.message x where x.conversation_id = w.id and"
    " x.device_id = w.device and x.device_seq = w.device_seq offset 0) m on true"
    " left join lateral (select * from delivery.rejection x where x.conversation_id = w.id and"
    " x.device_id = w.device and x.device_seq = w.device_seq offset 0) r on true",
    3};

const struct query SQL_FOREIGN = {
    "foreign",
    "select w.ord, m.seq, m.payload_sha256, m.committed_ms, r.payload_sha256, r.code"
    " from unnest($1::uuid[], $2::uuid[], $3::text[]) with ordinality as w(id, sender, foreign_id,"
    " ord)"
    " left join lateral (select * from delivery.message x where x.conversation_id = w.id and"
    " x.sender_user_id = w.sender and x.foreign_id = w.foreign_id offset 0) m on true"
    " left join lateral (select r.payload_sha256, r.code from delivery.rejection r where"
    " r.conversation_id = w.id and r.sender_user_id = w.sender and r.foreign_id = w.foreign_id and"
    " r.code <> 0 order by r.committed_ms, r.device_seq limit 1) r on true",
    3};
