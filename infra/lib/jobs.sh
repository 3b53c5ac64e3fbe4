# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Work that runs side by side; all of it is waited for, and every failure is known by name.

declare -A JOB_PID=()
JOBS_FAILED=()

# job_start NAME COMMAND...
job_start() {
  local name=$1
  shift
  "$@" &
  JOB_PID[$name]=$!
}

# jobs_wait [NAME...]: the named ones, or all. Names that failed are left in JOBS_FAILED.
jobs_wait() {
  local name names=("$@")
  [ $# -gt 0 ] || names=("${!JOB_PID[@]}")
  JOBS_FAILED=()
  for name in "${names[@]}"; do
    wait "${JOB_PID[$name]}" || JOBS_FAILED+=("$name")
    unset "JOB_PID[$name]"
  done
  [ ${#JOBS_FAILED[@]} = 0 ]
}
