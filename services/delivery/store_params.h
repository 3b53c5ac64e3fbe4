// SPDX-License-Identifier: Apache-2.0
// The parameters of the commit statements (sql.h has their order). Pure.
#pragma once

#include "db/db.h"
#include "delivery/batch.h"

// Which statement writes this batch.
const struct query *store_statement(const struct batch *b);
struct db_params *store_params(const struct batch *b);
