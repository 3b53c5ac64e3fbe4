# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Schema migrations: infra/migrations/NNN_name.sql in order, each in one transaction together with
# its record in public.schema_migration. An applied file never changes again.

migrate_all() {
  local file
  pg_psql "$PG_DATABASE" -c 'set client_min_messages = warning' -c 'create table if not exists
    public.schema_migration (number integer primary key, name text not null, sha256 text not null,
    applied_at timestamptz not null default now())' || return 1
  for file in "$INFRA"/migrations/[0-9][0-9][0-9]_*.sql; do
    migrate_one "$file" || return 1
  done
  pg_psql "$PG_DATABASE" -1 -v tenant="$TENANT_SLUG" -f "$INFRA/migrations/grants.sql" \
    -f "$INFRA/migrations/tenant.sql"
}

migrate_one() {
  local file=$1 name=${1##*/} sum applied
  sum=$(sha256sum "$file" | cut -d' ' -f1)
  applied=$(pg_psql "$PG_DATABASE" -At \
    -c "select sha256 from public.schema_migration where number = ${name%%_*}") || return 1
  [ "$applied" != "$sum" ] || return 0
  if [ -n "$applied" ]; then
    say_error "migration $name was applied with another content (sha256 $applied)"
    say_hint "put the file back as it was and write a new migration with the next number"
    return 1
  fi
  say "migration $name"
  pg_psql "$PG_DATABASE" -1 -f "$file" -c "insert into public.schema_migration (number, name, sha256)
    values (${name%%_*}, '$name', '$sum')" && return 0
  say_error "migration $name failed and left nothing behind"
  say_hint "mend the file, then infra/up again"
  return 1
}
