#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Roles, migrations and grants, with the same code as infra/up; PG_HOST and PG_PORT say where.
CAUSEWAY_RUN_DIR=$(mktemp -d)
export CAUSEWAY_RUN_DIR
. "$(dirname "$0")/../lib/all.sh"
SECRET_DIR=/run/secrets
PG_PASSFILE=$CAUSEWAY_RUN_DIR/pgpass
pg_write_passfile && postgres_make_database && migrate_all
