#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Suites that others wrote judge our websocket server and our Connect calls. A suite whose tool
# cannot be installed (pip, go) counts as one skipped.
. tests/run.d/common.sh

KOSOKU=kosoku==0.1.0
CONNECT=connectrpc.com/conformance/cmd/connectconformance@v1.0.7
TOOLS=$TEST_DIR/conformance
WAIT_S=10
PASSED=0 FAILED=0 SKIPPED=0

# add SUITE PASSED FAILED [KNOWN]: known failures count as skipped.
add() {
  echo "$1: $2 passed, $3 failed, ${4:-0} known to fail"
  PASSED=$((PASSED + $2)) FAILED=$((FAILED + $3)) SKIPPED=$((SKIPPED + ${4:-0}))
}

skip() {
  echo "$1: skipped, $2"
  SKIPPED=$((SKIPPED + 1))
}

# Waits until a file has a line that begins with the word; prints the rest of the line.
line_after() {
  local end=$((SECONDS + WAIT_S))
  until grep -q "^$2 " "$1" || [ "$SECONDS" -ge "$end" ]; do sleep 0.05; done
  sed -n "s/^$2 //p" "$1"
}

websocket() {
  local out=$TOOLS/websocket pid port counts
  python3 -m venv "$TOOLS/venv" && "$TOOLS/venv/bin/pip" install -q "$KOSOKU" ||
    { skip websocket "kosoku could not be installed" && return; }
  rm -rf "$out" && mkdir -p "$out" && : >"$out/server.log"
  "$TEST_DIR/debug/bin/ws_echo" 0 >"$out/server.log" 2>&1 8>&- &
  pid=$!
  port=$(line_after "$out/server.log" ready)
  "$TOOLS/venv/bin/kosoku" -p 2 -i '[1-7].*' -i '10.*' -o "$out" "127.0.0.1:$port" \
    >"$out/kosoku.log" 2>&1
  kill "$pid" && wait "$pid" 2>/dev/null
  counts=$(python3 tests/run.d/kosoku.py "$out/index.json") || counts="0 1"
  # shellcheck disable=SC2086
  add websocket $counts
}

connect() {
  local log=$TOOLS/connect.log counts
  command -v go >/dev/null && GOPATH=$TOOLS/go GOFLAGS=-modcacherw go install "$CONNECT" \
    >"$log" 2>&1 || { skip connect "connectconformance could not be installed" && return; }
  "$TOOLS/go/bin/connectconformance" --mode server --conf tests/conformance/connect.yaml \
    --known-failing @tests/conformance/connect-known-failing.txt -v -- \
    "$TEST_DIR/debug/bin/connect_server" >"$log" 2>&1 8>&-
  grep -A4 '^FAILED' "$log"
  counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p
    s/^(Another \([0-9]*\) failed as expected.*/\1/p' "$log" | tail -2 | tr '\n' ' ')
  # shellcheck disable=SC2086
  add connect ${counts:-0 1}
}

mkdir -p "$TOOLS" && build debug ws_echo connect_server || exit 1
websocket
connect
counted "$PASSED" "$FAILED" "$SKIPPED"
