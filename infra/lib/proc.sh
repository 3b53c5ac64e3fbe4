# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Long-running programs: started detached, known by pid and start time, stopped by that pid only.

LOG_KEEP_BYTES=20000000

# Field 22 of /proc/PID/stat: makes a pid unmistakable. Nothing for a zombie or an absent process.
proc_started_at() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -r -a fields <<<"${stat##*) }"
  [ "${fields[0]}" != Z ] || return 1
  echo "${fields[19]}"
}

proc_pid() {
  local pid started
  read -r pid started 2>/dev/null <"$PID_DIR/$1.pid" || return 1
  [ "$(proc_started_at "$pid")" = "$started" ] || return 1
  echo "$pid"
}

proc_alive() {
  proc_pid "$1" >/dev/null
}

proc_log() {
  echo "$LOG_DIR/$1.log"
}

proc_limit_log() {
  local size
  size=$(stat -c %s "$1" 2>/dev/null) || return 0
  [ "$size" -le "$LOG_KEEP_BYTES" ] || mv "$1" "$1.1"
}

# Becomes the command, without the locks and pipes of whoever called us.
proc_become() {
  local fd
  for fd in /proc/self/fd/*; do
    fd=${fd##*/}
    # 255 is the shell's own, which does not outlive it.
    [ "$fd" -le 2 ] || [ "$fd" = 255 ] || eval "exec $fd>&-"
  done
  exec setsid "$@"
}

# proc_start PART COMMAND...: in a session of its own, so that closing the terminal leaves it alone.
proc_start() {
  local part=$1 log pid
  shift
  log=$(proc_log "$part")
  proc_limit_log "$log"
  proc_become "$@" >>"$log" 2>&1 </dev/null &
  pid=$!
  echo "$pid $(proc_started_at "$pid")" >"$PID_DIR/$part.pid"
}

proc_gone() {
  ! proc_alive "$1"
}

# proc_stop PART SIGNAL LIMIT_S: asks with the signal, kills after the limit.
proc_stop() {
  local part=$1 signal=$2 limit_s=$3 pid
  if pid=$(proc_pid "$part"); then
    kill -s "$signal" "$pid" 2>/dev/null
    if ! wait_until "$limit_s" proc_gone "$part"; then
      say "$part did not stop within $limit_s s: killed"
      kill -s KILL "$pid" 2>/dev/null
      wait_until 5 proc_gone "$part" || return 1
    fi
  fi
  rm -f "$PID_DIR/$part.pid"
}

# proc_wait_ready PART LIMIT_S HINT: ready as its own question says, or dead, or too late.
proc_wait_ready() {
  local part=$1 limit_s=$2 hint=$3 log
  log=$(proc_log "$part")
  wait_until "$limit_s" proc_settled "$part"
  if ! proc_alive "$part"; then
    part_failed "$part" "it ended while starting" "$log" "$hint"
    return 1
  fi
  "${part//-/_}_ready" && return 0
  part_failed "$part" "not ready after $limit_s s" "$log" "$hint"
}

proc_settled() {
  ! proc_alive "$1" || "${1//-/_}_ready"
}
