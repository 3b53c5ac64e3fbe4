// SPDX-License-Identifier: Apache-2.0
// Private to db: a cursor over one PGresult.
#pragma once

#include <libpq-fe.h>

#include "db/db.h"

struct db_rows {
    const PGresult *result;
    int row; // -1 before the first
    int column;
    bool failed;
};
