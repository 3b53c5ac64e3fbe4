// SPDX-License-Identifier: Apache-2.0
// Private to db: parameters in PostgreSQL's binary format.
#pragma once

#include "db/db.h"

#define DB_PARAMS_MAX 64

struct db_params {
    struct buf bytes; // all values, one after another
    unsigned count;
    struct {
        size_t offset;
        int32_t len; // -1: null
    } values[DB_PARAMS_MAX];
    bool array_open;
    int32_t array_count;
    bool array_nulls;
    enum db_type array_type;
};

// Ends an open array. false: memory was out.
bool params_finish(struct db_params *p);
