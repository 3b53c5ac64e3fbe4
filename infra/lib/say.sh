# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the person at the terminal sees.

LOG_TAIL_LINES=15

say() { printf '%s\n' "$*"; }
say_error() { printf 'error: %s\n' "$*" >&2; }
say_hint() { printf '  what to do: %s\n' "$*" >&2; }

die() {
  say_error "$@"
  exit 1
}

# The end of a part's log, so that a failure explains itself.
say_log_tail() {
  local file=$1
  [ -s "$file" ] || return 0
  printf '  last lines of %s:\n' "$file" >&2
  tail -n "$LOG_TAIL_LINES" "$file" | cut -c1-300 | sed 's/^/    /' >&2
}

# part_failed PART WHAT LOG HINT. In one write: several parts may fail side by side.
part_failed() {
  local text
  text=$({
    say_error "$1: $2"
    say_log_tail "$3"
    say_hint "$4"
  } 2>&1)
  printf '%s\n' "$text" >&2
  return 1
}
