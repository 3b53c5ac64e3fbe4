# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# PostgreSQL: the truth. TCP on the loopback interface only, scram-sha-256 for everyone.

PG_ADMIN=causeway
PG_DATABASE=causeway
PG_ROLES=(causeway_auth causeway_users causeway_delivery causeway_xmpp)
# Elsewhere only in containers, see infra/docker/schema.sh.
PG_HOST=${PG_HOST:-127.0.0.1}
PG_PORT=${PG_PORT:-}
PG_PASSFILE=${PG_PASSFILE:-$SECRET_DIR/pgpass}

pg_bin() {
  local dirs=(/usr/lib/postgresql/*/bin)
  echo "${dirs[-1]}"
}

postgres_ready() {
  "$(pg_bin)/pg_isready" -q -h 127.0.0.1 -p "$(port postgres)" -U "$PG_ADMIN" -d postgres
}

postgres_prepare() {
  local dir=$DATA_DIR/postgres pw=$DATA_DIR/postgres/pw
  user_dir postgres "$dir" || return 1
  [ ! -f "$dir/data/PG_VERSION" ] || return 0
  rm -rf "$dir/data"
  mapfile -t AS < <(user_command postgres "$dir")
  (umask 077 && secret pg_admin >"$pw") || return 1
  ! is_root || chown postgres: "$pw"
  (cd "$dir" && "${AS[@]}" "$(pg_bin)/initdb" -D "$dir/data" -U "$PG_ADMIN" -A scram-sha-256 \
    --pwfile="$pw" --no-sync --no-instructions --locale=C.UTF-8 -E UTF8) \
    >>"$(proc_log postgres)" 2>&1
  local rc=$?
  rm -f "$pw"
  [ $rc = 0 ] || part_failed postgres "its data folder could not be made" "$(proc_log postgres)" \
    "read the lines above; infra/reset starts over"
}

postgres_start() {
  local dir=$DATA_DIR/postgres
  mapfile -t AS < <(user_command postgres "$dir")
  cd "$dir" || return 1
  proc_start postgres "${AS[@]}" "$(pg_bin)/postgres" -D "$dir/data" \
    -c listen_addresses=127.0.0.1 -c port="$(port postgres)" -c unix_socket_directories= \
    -c shared_buffers="$(profile_value pg_shared_buffers)" -c wal_level=logical \
    -c idle_in_transaction_session_timeout=5s -c log_min_messages=warning \
    -c autovacuum_max_workers=2 -c jit=off
  cd "$ROOT" || return 1
}

postgres_stop() {
  proc_stop postgres INT 20
}

# pg_psql DATABASE ARGS...: as the administrator; the password goes by file.
pg_psql() {
  local database=$1
  shift
  PGPASSFILE=$PG_PASSFILE psql -X -q -v ON_ERROR_STOP=1 -h "$PG_HOST" \
    -p "${PG_PORT:-$(port postgres)}" -U "$PG_ADMIN" -d "$database" "$@"
}

pg_write_passfile() {
  (umask 077 && printf '*:*:*:%s:%s\n' "$PG_ADMIN" "$(secret pg_admin)" >"$PG_PASSFILE")
}

# The database and one role per program. psql reads its commands, passwords included, from a pipe.
postgres_make_database() {
  local role
  if [ "$(pg_psql postgres -At -c "select 1 from pg_database where datname = '$PG_DATABASE'")" != 1 ]; then
    pg_psql postgres -c "create database $PG_DATABASE" || return 1
  fi
  {
    for role in "${PG_ROLES[@]}"; do
      printf "select 'create role %s' where not exists (select from pg_roles where rolname = '%s') \\gexec\n" \
        "$role" "$role"
      printf "alter role %s login password '%s';\n" "$role" "$(secret "pg_$role")"
    done
  } | pg_psql postgres
}
