# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The five servers: in which order they depend on each other, and how one is brought up.

SERVERS=(postgres redis kafka mariadb ejabberd)

declare -A SERVER_PORTS=(
  [postgres]=postgres [redis]=redis [kafka]='kafka kafka_controller' [mariadb]=mariadb
  [ejabberd]='c2s c2s_tls ejabberd component'
)
declare -A SERVER_LIMIT_S=(
  [postgres]=30 [redis]=20 [kafka]=120 [mariadb]=60 [ejabberd]=120
)

HINT_AGAIN='read the lines above, then infra/up again; infra/reset starts from nothing'

# Brings one server up, whatever state it is in; what runs already is only asked.
server_up() {
  local part=$1 began name
  began=$(now_ms)
  if ! proc_alive "$part"; then
    for name in ${SERVER_PORTS[$part]}; do
      port_must_be_free "$part" "$(port "$name")" || return 1
    done
    "${part}_prepare" && "${part}_start" || return 1
    proc_wait_ready "$part" "${SERVER_LIMIT_S[$part]}" "$HINT_AGAIN" || return 1
    start_time_record "$part" $(($(now_ms) - began))
  else
    proc_wait_ready "$part" "${SERVER_LIMIT_S[$part]}" "$HINT_AGAIN"
  fi
}

start_time_record() { echo "$2" >"$PID_DIR/$1.start_ms"; }
start_time() { cat "$PID_DIR/$1.start_ms" 2>/dev/null; }

# What depends on what is one line each; the lines run side by side.
chain_postgres() { server_up postgres && pg_write_passfile && postgres_make_database && migrate_all; }
chain_redis() { server_up redis; }
chain_kafka() { kafka_fetch_jars && server_up kafka && kafka_make_topics; }
chain_legacy() { server_up mariadb && mariadb_load_schema && server_up ejabberd && legacy_accounts; }

legacy_accounts() { ejabberd_make_account bob person_bob; }

servers_down() {
  local part
  for part in "${SERVERS[@]}"; do
    # ejabberd needs its database until it has stopped.
    [ "$part" = mariadb ] || [ "$part" = ejabberd ] || job_start "stop-$part" "${part}_stop"
  done
  job_start stop-legacy legacy_stop
  jobs_wait
}

legacy_stop() { ejabberd_stop && mariadb_stop; }
