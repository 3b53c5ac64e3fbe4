# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What each part looks like from outside: state, port, process, age, memory.

# part_look NAME: sets look_state (ready, starting, down), look_pid, look_port, look_note.
part_look() {
  local part=$1 pid state role restarts program http_port group pair
  look_state=down look_pid='' look_port='' look_note=''
  if [ -n "${PROGRAM_ROWS[$part]:-}" ]; then
    program_row "$part"
    look_port=$(port "$http_port")
    proc_alive supervisor && supervisor_row "$part" && [ "$pid" != 0 ] || return 0
    look_pid=$pid look_note="$role"
    [ "$restarts" = 0 ] || look_note="$look_note restarts $restarts"
    look_state=starting
    ! program_ready "$part" || look_state=ready
  else
    [ "$part" = supervisor ] || look_port=$(port "$part")
    look_pid=$(proc_pid "$part") || return 0
    look_state=starting
    ! "${part}_ready" || look_state=ready
  fi
}

parts_all() {
  printf '%s\n' "${SERVERS[@]}"
  [ -x "$BIN_DIR/causeway-supervisor" ] || return 0
  echo supervisor
  programs_built
}

# The process and everything below it. The supervisor's children are parts of their own.
process_tree() {
  local pid=$1 child
  echo "$pid"
  for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
    process_tree "$child"
  done
}

# Memory in KiB: PSS counts shared pages once over all processes.
part_pss_kib() {
  local part=$1 pids pid sum=0 value
  [ -n "$2" ] || return 0
  if [ "$part" = supervisor ]; then pids=$2; else pids=$(process_tree "$2"); fi
  for pid in $pids; do
    value=$(sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup" 2>/dev/null)
    sum=$((sum + ${value:-0}))
  done
  echo "$sum"
}

part_age_s() {
  [ -z "$1" ] || ps -o etimes= -p "$1" 2>/dev/null | tr -d ' '
}

part_is_ours() {
  [ "$1" = supervisor ] || [ -n "${PROGRAM_ROWS[$1]:-}" ]
}

mib() {
  printf '%d.%d' $(($1 / 1024)) $(($1 % 1024 * 10 / 1024))
}
