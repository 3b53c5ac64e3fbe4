# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# ctest_run PRESET: runs what was built; sets CTEST_PASSED and CTEST_FAILED (checks inside the
# programs) and CTEST_SKIPPED.
ctest_run() {
  local dir=$TEST_DIR/$1 log=$LOGS/ctest-$1.log broken
  CAUSEWAY_TEST_RUN=$STACK ctest --test-dir "$dir" -V -j "$(nproc)" >"$log" 2>&1 8>&-
  read -r CTEST_PASSED CTEST_FAILED < <(awk '
    match($0, /Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/) {
      split(substr($0, RSTART, RLENGTH), n, /[^0-9]+/)
      failed += n[3] + n[4]; passed += n[2] - n[3] - n[4]
    }
    END { print passed + 0, failed + 0 }' "$log")
  CTEST_SKIPPED=$(grep -c '^[0-9]*: skipped: ' "$log")
  broken=$(sed -n 's/.* tests passed, \([0-9]*\) tests failed out of .*/\1/p' "$log")
  # A program that died without counting, or ctest itself.
  [ "$CTEST_FAILED" -ge "${broken:-1}" ] || CTEST_FAILED=${broken:-1}
  [ "$CTEST_FAILED" = 0 ] || ctest_show "$log"
}

ctest_show() {
  grep -E '^[0-9]+: .*:[FE]:|\*\*\*|Sanitizer|runtime error' "$1" | head -60
  echo "the whole output: $1"
}
