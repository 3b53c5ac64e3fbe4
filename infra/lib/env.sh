# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Where things are and which settings this checkout runs with. Every other file here reads these.

export LC_ALL=C
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
INFRA=$ROOT/infra
RUN_DIR=${CAUSEWAY_RUN_DIR:-$ROOT/run}
CACHE_DIR=${CAUSEWAY_CACHE:-${XDG_CACHE_HOME:-${HOME:-$RUN_DIR}/.cache}/causeway}
ETC_DIR=$RUN_DIR/etc
SECRET_DIR=$RUN_DIR/secrets
DATA_DIR=$RUN_DIR/data
LOG_DIR=$RUN_DIR/log
PID_DIR=$RUN_DIR/pid
BUILD_DIR=${CAUSEWAY_BUILD_DIR:-$RUN_DIR/build}
SETTINGS_FILE=$RUN_DIR/settings

TENANT_SLUG=demo
LEGACY_DOMAIN=legacy.test
NATIVE_DOMAIN=a.$LEGACY_DOMAIN
KAFKA_VERSION=4.1.1

env_make_dirs() {
  mkdir -p "$ETC_DIR" "$DATA_DIR" "$LOG_DIR" "$PID_DIR" || return 1
  (umask 077 && mkdir -p "$SECRET_DIR")
}

# Options on the command line win over the environment, that over what the last start used.
settings_load() {
  local key value saved_base='' saved_profile=''
  if [ -f "$SETTINGS_FILE" ]; then
    while IFS='=' read -r key value; do
      case $key in
        base) saved_base=$value ;;
        profile) saved_profile=$value ;;
      esac
    done <"$SETTINGS_FILE"
  fi
  BASE_PORT=${OPT_BASE:-${CAUSEWAY_BASE_PORT:-${saved_base:-17000}}}
  PROFILE=${OPT_PROFILE:-${CAUSEWAY_PROFILE:-${saved_profile:-dev}}}
  SAVED_BASE=$saved_base SAVED_PROFILE=$saved_profile
}

settings_save() {
  printf 'base=%s\nprofile=%s\n' "$BASE_PORT" "$PROFILE" >"$SETTINGS_FILE"
}

settings_check() {
  case $BASE_PORT in
    '' | *[!0-9]*) die "the base port must be a number, not '$BASE_PORT'" ;;
  esac
  [ "$BASE_PORT" -ge 1024 ] && [ "$BASE_PORT" -le 65000 ] ||
    die "the base port must lie between 1024 and 65000"
  case $PROFILE in
    dev | prod) ;;
    *) die "the profile is 'dev' or 'prod', not '$PROFILE'" ;;
  esac
}
