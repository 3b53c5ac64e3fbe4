# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the parts share: where things are, builds, and the stack of real servers that tests talk to.

ROOT=$PWD
TEST_DIR=${CAUSEWAY_TEST_DIR:-$ROOT/build}
TEST_BASE_PORT=${CAUSEWAY_TEST_BASE_PORT:-27000}
LOGS=$TEST_DIR/tests
STACK=$TEST_DIR/stack
PROGRAMS=(
  causeway-supervisor causeway-auth causeway-users causeway-delivery causeway-edge
  causeway-gateway causeway-xmpp causeway causeway-load
)

# build PRESET [TARGET]...: into $TEST_DIR/PRESET, output only when it fails.
build() {
  local preset=$1 log=$LOGS/build-$1.log
  shift
  cmake --preset "$preset" -B "$TEST_DIR/$preset" >"$log" 2>&1 &&
    ninja -C "$TEST_DIR/$preset" "$@" >>"$log" 2>&1 && return 0
  tail -40 "$log"
  echo "build of $preset failed: $log"
  return 1
}

# infra COMMAND [ARG]...: one of infra/'s commands, on the tests' stack.
infra() {
  local command=$1
  shift
  CAUSEWAY_RUN_DIR=$STACK "$ROOT/infra/$command" --base "$TEST_BASE_PORT" "$@" 8>&-
}

# Every run begins with empty stores, unless the last one left its servers on purpose.
stack_fresh() {
  [ "${CAUSEWAY_TEST_KEEP-}" = 1 ] || [ ! -d "$STACK" ] ||
    CAUSEWAY_RUN_DIR=$STACK "$ROOT/infra/reset" --yes >"$LOGS/reset.log" 2>&1 8>&-
}

stack_servers() {
  infra up --servers >"$LOGS/servers.log" 2>&1 && return 0
  tail -20 "$LOGS/servers.log"
  return 1
}

# stack_programs PRESET: everything, with the programs of that build.
stack_programs() {
  CAUSEWAY_BUILD_DIR=$TEST_DIR/$1 infra up >"$LOGS/stack-$1.log" 2>&1 && return 0
  tail -30 "$LOGS/stack-$1.log"
  return 1
}

stack_down() {
  [ ! -d "$STACK" ] || CAUSEWAY_RUN_DIR=$STACK "$ROOT/infra/down" >"$LOGS/down.log" 2>&1 8>&- ||
    { tail -5 "$LOGS/down.log" && return 1; }
}

stack_leave() {
  [ "${CAUSEWAY_TEST_KEEP-}" = 1 ] || stack_down
}

# The Python that has infra's packages.
stack_python() {
  echo "$(. "$ROOT/infra/lib/all.sh" && venv_dir)/bin/python"
}

# counted PASSED FAILED SKIPPED: the last line of a part, and its status.
counted() {
  echo "$1 passed, $2 failed, $3 skipped"
  [ "$2" = 0 ]
}
