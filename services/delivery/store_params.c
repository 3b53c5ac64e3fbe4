// SPDX-License-Identifier: Apache-2.0
#include "delivery/store_params.h"

#include <stdlib.h>

#include "delivery/sql.h"

// Calls add for each write of one of the kinds, once per column.
#define EACH_WRITE(b, part, w)                                             \
    for (uint32_t p_##w = 0; p_##w < (b)->part_count; p_##w++)             \
        for (uint32_t i_##w = 0; i_##w < (b)->parts[p_##w].count; i_##w++) \
            if (((part) = &(b)->parts[p_##w], (w) = &(b)->writes[(part)->first + i_##w]))

typedef void add_part(struct db_params *p, const struct part *part);
typedef void add_write(struct db_params *p, const struct part *part, const struct write *w);
typedef void add_stay(struct db_params *p, const struct batch *b, const struct stay *s);

// --- conversations -------------------------------------------------------------------------------

static void part_id(struct db_params *p, const struct part *part) {
    db_add_uuid(p, part->state->id);
}
static void part_version(struct db_params *p, const struct part *part) {
    db_add_i64(p, part->version);
}
static void part_epoch(struct db_params *p, const struct part *part) {
    db_add_i64(p, (int64_t) part->state->epoch);
}
static void part_next(struct db_params *p, const struct part *part) {
    db_add_i64(p, part->next_version);
}
static void part_shard(struct db_params *p, const struct part *part) {
    db_add_i16(p, (int16_t) shard_of(part->state->id));
}
static void part_last_seq(struct db_params *p, const struct part *part) {
    db_add_i64(p, part->state->last_seq);
}
static void part_messages(struct db_params *p, const struct part *part) {
    db_add_i64(p, part->state->message_count);
}
static void part_tenant(struct db_params *p, const struct part *part) {
    db_add_uuid(p, part->state->tenant_id);
}
static void part_kind(struct db_params *p, const struct part *part) {
    db_add_i16(p, (int16_t) part->state->kind);
}

static void add_titles(struct db_params *p, const struct batch *b) {
    db_array(p, DB_TEXT);
    for (uint32_t i = 0; i < b->part_count; i++) {
        const struct part *part = &b->parts[i];
        const char *title = NULL;
        for (uint32_t n = part->first; part->founds && n < part->first + part->count; n++) {
            const struct write *w = &b->writes[n];
            if (w->decision.kind == DECIDED_ENTRY && w->command->title) title = w->command->title;
        }
        if (title)
            db_add_text(p, slice_str(title));
        else
            db_add_null(p);
    }
}

static void add_parts(struct db_params *p, const struct batch *b) {
    static const struct {
        enum db_type type;
        add_part *add;
    } columns[] = {
        {DB_UUID, part_id},      {DB_I64, part_version}, {DB_I64, part_epoch},
        {DB_I64, part_next},     {DB_I16, part_shard},   {DB_I64, part_last_seq},
        {DB_I64, part_messages}, {DB_UUID, part_tenant}, {DB_I16, part_kind},
    };
    for (size_t c = 0; c < COUNT_OF(columns); c++) {
        db_array(p, columns[c].type);
        for (uint32_t i = 0; i < b->part_count; i++) columns[c].add(p, &b->parts[i]);
    }
    add_titles(p, b);
    db_param_i64(p, b->committed_ms);
}

// --- entries and refusals ------------------------------------------------------------------------

static void write_id(struct db_params *p, const struct part *part, const struct write *w) {
    (void) w;
    db_add_uuid(p, part->state->id);
}
static void write_seq(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    db_add_i64(p, w->decision.seq);
}
static void write_tenant(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    db_add_uuid(p, w->command->tenant_id);
}
static void write_sender(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    db_add_uuid(p, w->command->user_id);
}
static void write_device(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    db_add_uuid(p, w->command->device_id);
}
static void write_device_seq(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    db_add_i64(p, (int64_t) w->command->device_seq);
}
static void write_client_id(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    db_add_uuid(p, w->command->client_msg_id);
}
static void write_foreign(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    if (w->command->foreign_id)
        db_add_text(p, slice_str(w->command->foreign_id));
    else
        db_add_null(p);
}
static void write_payload(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    db_add_bytes(p, slice_of(w->command->payload.bytes, sizeof w->command->payload.bytes));
}
static void write_is_message(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    db_add_bool(p, w->command->op == PB__OPERATION__OP_SEND);
}
static void write_number(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    db_add_i64(p, w->decision.message_number);
}
static void write_change(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    db_add_bytes(p, buf_slice(&w->command->change));
}
static void write_trace(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    db_add_text(p, slice_str(w->command->trace_id));
}
static void write_code(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    db_add_i16(p, (int16_t) w->decision.error);
}
static void write_accepted(struct db_params *p, const struct part *part, const struct write *w) {
    (void) part;
    if (w->decision.kind == DECIDED_REPEAT)
        db_add_i64(p, w->decision.seq);
    else
        db_add_null(p);
}

struct write_column {
    enum db_type type;
    add_write *add;
};

static void add_writes(struct db_params *p, const struct batch *b, bool entries,
                       const struct write_column *columns, size_t n) {
    const struct part *part;
    const struct write *w;
    for (size_t c = 0; c < n; c++) {
        db_array(p, columns[c].type);
        EACH_WRITE(b, part, w) {
            if ((w->decision.kind == DECIDED_ENTRY) == entries) columns[c].add(p, part, w);
        }
    }
}

static const struct write_column entry_columns[] = {
    {DB_UUID, write_id},      {DB_I64, write_seq},        {DB_UUID, write_sender},
    {DB_UUID, write_device},  {DB_I64, write_device_seq}, {DB_UUID, write_client_id},
    {DB_TEXT, write_foreign}, {DB_BYTES, write_payload},  {DB_BOOL, write_is_message},
    {DB_I64, write_number},   {DB_BYTES, write_change},   {DB_TEXT, write_trace},
};

static const struct write_column refusal_columns[] = {
    {DB_UUID, write_id},       {DB_UUID, write_tenant},    {DB_UUID, write_sender},
    {DB_UUID, write_device},   {DB_I64, write_device_seq}, {DB_TEXT, write_foreign},
    {DB_BYTES, write_payload}, {DB_I16, write_code},       {DB_I64, write_accepted},
};

// --- members and fences --------------------------------------------------------------------------

static void stay_id(struct db_params *p, const struct batch *b, const struct stay *s) {
    db_add_uuid(p, b->parts[s->part].state->id);
}
static void stay_user(struct db_params *p, const struct batch *b, const struct stay *s) {
    (void) b;
    db_add_uuid(p, s->user_id);
}
static void stay_joined(struct db_params *p, const struct batch *b, const struct stay *s) {
    (void) b;
    db_add_i64(p, s->joined_seq);
}
static void stay_left(struct db_params *p, const struct batch *b, const struct stay *s) {
    (void) b;
    if (s->left_seq)
        db_add_i64(p, s->left_seq);
    else
        db_add_null(p);
}
static void stay_role(struct db_params *p, const struct batch *b, const struct stay *s) {
    (void) b;
    db_add_i16(p, s->role);
}
static void stay_home(struct db_params *p, const struct batch *b, const struct stay *s) {
    (void) b;
    db_add_i16(p, s->home);
}

static void add_stays(struct db_params *p, const struct batch *b) {
    static const struct {
        enum db_type type;
        add_stay *add;
        bool begins;
    } columns[] = {
        {DB_UUID, stay_id, true},   {DB_UUID, stay_user, true},  {DB_I64, stay_joined, true},
        {DB_I64, stay_left, true},  {DB_I16, stay_role, true},   {DB_I16, stay_home, true},
        {DB_UUID, stay_id, false},  {DB_UUID, stay_user, false}, {DB_I64, stay_joined, false},
        {DB_I64, stay_left, false},
    };
    struct stay *stays;
    size_t n = batch_stays(b, &stays);
    for (size_t c = 0; c < COUNT_OF(columns); c++) {
        db_array(p, columns[c].type);
        for (size_t i = 0; i < n; i++)
            if (stays[i].begins == columns[c].begins) columns[c].add(p, b, &stays[i]);
    }
    free(stays);
}

// The fence rises by any foreign command that is written, so all of them are said again: cheap, and
// right whatever the row says.
static bool has_fence(const struct part *part, unsigned platform, const struct batch *b) {
    if (part->state->fences[platform] == 0) return false;
    for (uint32_t i = part->first; i < part->first + part->count; i++)
        if (b->writes[i].command->platform == platform) return true;
    return false;
}

static void add_fences(struct db_params *p, const struct batch *b) {
    for (int column = 0; column < 3; column++) {
        static const enum db_type types[] = {DB_UUID, DB_I16, DB_I64};
        db_array(p, types[column]);
        for (uint32_t i = 0; i < b->part_count; i++)
            for (unsigned platform = 0; platform < PLATFORMS_MAX; platform++) {
                const struct part *part = &b->parts[i];
                if (!has_fence(part, platform, b)) continue;
                if (column == 0) db_add_uuid(p, part->state->id);
                if (column == 1) db_add_i16(p, (int16_t) platform);
                if (column == 2) db_add_i64(p, (int64_t) part->state->fences[platform]);
            }
    }
}

const struct query *store_statement(const struct batch *b) {
    if (b->creates) return &SQL_CREATE;
    for (uint32_t i = 0; i < b->write_count; i++) {
        const struct write *w = &b->writes[i];
        bool plain = w->decision.kind == DECIDED_ENTRY && w->command->op == PB__OPERATION__OP_SEND;
        if (!plain || w->command->incarnation) return &SQL_COMMIT;
    }
    return &SQL_COMMIT_ENTRIES;
}

struct db_params *store_params(const struct batch *b) {
    PRE(b->part_count > 0 && b->write_count > 0);
    struct db_params *p = db_params_new();
    add_parts(p, b);
    add_writes(p, b, true, entry_columns, COUNT_OF(entry_columns));
    if (store_statement(b) == &SQL_COMMIT_ENTRIES) return p;
    add_writes(p, b, false, refusal_columns, COUNT_OF(refusal_columns));
    add_stays(p, b);
    add_fences(p, b);
    return p;
}
