# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Servers that refuse to run as root get their own user, when we are root. Nobody else needs that.

is_root() { [ "$(id -u)" = 0 ]; }

# user_command NAME DIR: prints, a word a line, what to put before a command to run it as NAME.
# When a folder above DIR is closed to others, the server keeps the right to walk through it.
user_command() {
  local name=$1 dir=$2 base
  is_root || return 0
  base=(setpriv "--reuid=$name" "--regid=$name" --clear-groups)
  printf '%s\n' "${base[@]}"
  "${base[@]}" -- test -x "$dir" 2>/dev/null ||
    printf '%s\n' --inh-caps=+dac_read_search --ambient-caps=+dac_read_search
  printf '%s\n' --
}

# A folder that the named user owns (as root), or that we own.
user_dir() {
  local name=$1 dir=$2
  mkdir -p "$dir" && chmod 700 "$dir" || return 1
  ! is_root || chown "$name:$name" "$dir"
}
