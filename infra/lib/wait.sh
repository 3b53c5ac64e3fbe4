# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Waiting by asking, always with a limit.

POLL_S=0.05

now_ms() {
  echo $((${EPOCHREALTIME/./} / 1000))
}

# wait_until LIMIT_S COMMAND...: asks until the command succeeds; 1 when the limit has passed.
wait_until() {
  local until_ms=$(($(now_ms) + $1 * 1000))
  shift
  until "$@"; do
    [ "$(now_ms)" -lt "$until_ms" ] || return 1
    sleep "$POLL_S"
  done
}
