#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Check programs over ctest, some of them against the real servers, and the web client's tests.
. tests/run.d/common.sh
. tests/run.d/ctest.sh

web_tests() {
  local log=$LOGS/web.log
  (cd clients/web && npm ci --no-audit --no-fund && npm test) >"$log" 2>&1 || tail -40 "$log"
  WEB_PASSED=$(sed -n 's/^# pass //p' "$log") WEB_FAILED=$(sed -n 's/^# fail //p' "$log")
  WEB_PASSED=${WEB_PASSED:-0} WEB_FAILED=${WEB_FAILED:-1}
}

stack_servers && build debug || exit 1
ctest_run debug
web_tests
counted $((CTEST_PASSED + WEB_PASSED)) $((CTEST_FAILED + WEB_FAILED)) "$CTEST_SKIPPED"
