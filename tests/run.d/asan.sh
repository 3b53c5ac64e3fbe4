#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The system tests again, with programs under AddressSanitizer, LeakSanitizer and
# UndefinedBehaviorSanitizer. What they say in the logs, up to the programs' end, fails.
. tests/run.d/common.sh
export ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

# Logs with a report in them.
reports() {
  grep -lE 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$STACK"/log/*.log 2>/dev/null
}

build asan "${PROGRAMS[@]}" || exit 1
stack_down && rm -f "$STACK"/log/*.log
stack_programs asan || exit 1
CAUSEWAY_TEST_RUN=$STACK "$(stack_python)" tests/system/run.py | tee "$LOGS/asan-system.log"
read -r passed _ failed _ skipped _ < <(tail -1 "$LOGS/asan-system.log")
stack_down
for log in $(reports); do
  failed=$((failed + 1))
  grep -E -A25 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$log" | head -60
done
counted "${passed:-0}" "${failed:-1}" "${skipped:-0}"
