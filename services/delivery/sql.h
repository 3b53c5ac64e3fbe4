// SPDX-License-Identifier: Apache-2.0
// The statements of the commit path. Each is one transaction of one round trip.
#pragma once

#include "db/db.h"

// Parameters of the commit statements, in this order. Arrays of one group have equal length.
//   1..10  conversations: id, version decided on, epoch, next version, shard, last_seq,
//   message_count,
//          tenant_id, kind, title (null: as it is)
//   11     committed_ms
//   12..23 entries: conversation_id, seq, sender_user_id, device_id, device_seq, client_msg_id,
//          foreign_id, payload_sha256, is_message, message_number, change, trace_id
// and, not in SQL_COMMIT_ENTRIES:
//   24..32 refusals: conversation_id, tenant_id, sender_user_id, device_id, device_seq, foreign_id,
//          payload_sha256, code, accepted_seq
//   33..38 stays that begin: conversation_id, user_id, joined_seq, left_seq, role, home
//   39..42 stays that end: conversation_id, user_id, joined_seq, left_seq
//   43..45 fences: conversation_id, platform, incarnation
// Answer: the ids of the conversations that were written, with all that belongs to them.
extern const struct query SQL_COMMIT_ENTRIES; // rows exist; nothing but entries
extern const struct query SQL_COMMIT;         // rows exist
extern const struct query SQL_CREATE;         // rows do not exist

// Conversations: id, known version or null, first and last index (from 1) in the devices; devices.
// Answer, one row each: ordinal (from 1), epoch, then null or: tenant_id, kind, version, last_seq,
// message_count, members (null: version is the known one), fences; and devices. The three lists are
// packed in network order: user_id(16) joined_seq(8) role(2) home(2) - platform(2) incarnation(8) -
// device_id(16) last(8).
extern const struct query SQL_LOAD;

// conversation_id, device_id, device_seq. Answer: ordinal; entry: seq, payload_sha256,
// committed_ms; refusal: payload_sha256, code, accepted_seq, committed_ms.
extern const struct query SQL_STORED;

// conversation_id, sender_user_id, foreign_id. Answer: ordinal; entry: seq, payload_sha256,
// committed_ms; refusal: payload_sha256, code.
extern const struct query SQL_FOREIGN;
