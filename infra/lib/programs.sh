# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Our processes, kept running by causeway-supervisor.

# node: program, port of its HTTP, stop group (the highest stops first), pair
declare -A PROGRAM_ROWS=(
  [auth]='causeway-auth auth 1 -'
  [users]='causeway-users users 1 -'
  [d1]='causeway-delivery d1 2 -'
  [edge]='causeway-edge edge 3 -'
  [gateway]='causeway-gateway gateway 3 -'
  [xmpp-a]='causeway-xmpp xmpp-a 3 xmpp'
  [xmpp-b]='causeway-xmpp xmpp-b 3 xmpp'
)
PROGRAM_NODES=(auth users d1 edge gateway xmpp-a xmpp-b)
PROGRAMS_LIMIT_S=60
SUPERVISOR_STATUS=$PID_DIR/supervisor.json

# program_row NODE: sets program, http_port, group, pair
program_row() {
  read -r program http_port group pair <<<"${PROGRAM_ROWS[$1]}"
}

# The nodes whose program was built.
programs_built() {
  local node program http_port group pair
  for node in "${PROGRAM_NODES[@]}"; do
    program_row "$node"
    [ ! -x "$BIN_DIR/$program" ] || echo "$node"
  done
}

programs_absent() {
  comm -13 <(programs_built | sort) <(printf '%s\n' "${PROGRAM_NODES[@]}" | sort)
}

supervisor_write_table() {
  local node program http_port group pair stop_ms
  stop_ms=$(($(profile_value drain_ms) + 2000))
  for node in $(programs_built); do
    program_row "$node"
    printf '[%s]\narg = %s\narg = --config\narg = %s\n' "$node" "$BIN_DIR/$program" "$ETC_DIR/$node.ini"
    printf 'log = %s\nheartbeat = true\ngroup = %s\nstop_ms = %s\n' \
      "$(proc_log "$node")" "$group" "$stop_ms"
    [ "$pair" = - ] || printf 'pair = %s\n' "$pair"
  done >"$ETC_DIR/supervisor.ini"
}

# Changes when a program or its configuration does.
programs_fingerprint() {
  cat "$ETC_DIR"/*.ini <(stat -c '%n %Y %s' "$BIN_DIR"/causeway-*) | sha256sum
}

# supervisor_row NODE: sets pid, state, role, restarts as the supervisor last wrote them.
supervisor_row() {
  local pattern="\"name\":\"$1\",\"pid\":([0-9]+),\"state\":\"([a-z]+)\",\"role\":\"([a-z]*)\",\"restarts\":([0-9]+)"
  [[ $(cat "$SUPERVISOR_STATUS" 2>/dev/null) =~ $pattern ]] || return 1
  pid=${BASH_REMATCH[1]} state=${BASH_REMATCH[2]} role=${BASH_REMATCH[3]} restarts=${BASH_REMATCH[4]}
}

program_ready() {
  local program http_port group pair
  program_row "$1"
  curl -s -f -o /dev/null --max-time 2 "http://127.0.0.1:$(port "$http_port")/readyz"
}

# What it answers when it is asked whether it is ready.
program_says() {
  local program http_port group pair
  program_row "$1"
  curl -s -S --max-time 2 "http://127.0.0.1:$(port "$http_port")/readyz" 2>&1
}

supervisor_ready() { [ -s "$SUPERVISOR_STATUS" ]; }

supervisor_start() {
  rm -f "$SUPERVISOR_STATUS"
  proc_start supervisor "$BIN_DIR/causeway-supervisor" "$ETC_DIR/supervisor.ini" "$SUPERVISOR_STATUS"
}

supervisor_stop() {
  local program_limit_s=$((3 * ($(profile_value drain_ms) + 2000) / 1000 + 5))
  proc_stop supervisor TERM "$program_limit_s" && rm -f "$SUPERVISOR_STATUS"
}

# What runs from an older build or another configuration is started anew.
programs_up() {
  local stamp=$RUN_DIR/programs.stamp now began
  programs_say_absent
  [ -x "$BIN_DIR/causeway-supervisor" ] || return 0
  config_write_all && supervisor_write_table || return 1
  now=$(programs_fingerprint)
  began=$(now_ms)
  if proc_alive supervisor && [ "$(cat "$stamp" 2>/dev/null)" != "$now" ]; then
    say "programs changed: starting them anew"
    supervisor_stop || return 1
  fi
  if ! proc_alive supervisor; then
    programs_ports_free && supervisor_start || return 1
    echo "$now" >"$stamp"
  fi
  proc_wait_ready supervisor 10 "read the lines above" && programs_wait_ready "$began"
}

programs_say_absent() {
  local absent
  absent=$(programs_absent | tr '\n' ' ')
  [ -z "$absent" ] || say "not built, so not started: $absent"
}

programs_ports_free() {
  local node program http_port group pair
  for node in $(programs_built); do
    program_row "$node"
    port_must_be_free "$node" "$(port "$http_port")" || return 1
  done
}

programs_wait_ready() {
  local began=$1 node
  for node in $(programs_built); do
    job_start "$node" program_wait_ready "$node" "$began"
  done
  jobs_wait
}

program_wait_ready() {
  local node=$1 began=$2
  if wait_until "$PROGRAMS_LIMIT_S" program_ready "$node"; then
    [ -f "$PID_DIR/$node.start_ms" ] || start_time_record "$node" $(($(now_ms) - began))
    return 0
  fi
  part_failed "$node" "not ready after $PROGRAMS_LIMIT_S s: $(program_says "$node")" \
    "$(proc_log "$node")" "read the lines above; infra/status shows who else is not ready"
}
