#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lines that the unit tests run, folder by folder. A folder below the mark fails.
. tests/run.d/common.sh
. tests/run.d/ctest.sh

stack_servers && build coverage || exit 1
find "$TEST_DIR/coverage" -name '*.gcda' -delete
ctest_run coverage
gcovr --root . --object-directory "$TEST_DIR/coverage" --filter '(services|adapters|clients|infra|loadtest)/' \
  --exclude '.*/main\.c' --json-summary -o "$LOGS/coverage.json" "$TEST_DIR/coverage" \
  >"$LOGS/gcovr.log" 2>&1 || { tail "$LOGS/gcovr.log" && exit 1; }
python3 tests/run.d/coverage.py "$LOGS/coverage.json"
