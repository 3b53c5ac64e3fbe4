# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Everything the commands share, and the options they have in common.

set -u -o pipefail

INFRA_LIB=$(dirname "${BASH_SOURCE[0]}")
for piece in env say wait ports profile user secrets proc jobs packages postgres migrate redis \
  kafka mariadb ejabberd stack build config programs parts report; do
  # shellcheck source=/dev/null
  . "$INFRA_LIB/$piece.sh"
done
unset piece

# options_parse ARGS...: takes --base N and --profile NAME, leaves the others in OPT_REST.
options_parse() {
  OPT_BASE='' OPT_PROFILE='' OPT_REST=()
  while [ $# -gt 0 ]; do
    case $1 in
      --base) OPT_BASE=${2:?--base needs a number} && shift ;;
      --base=*) OPT_BASE=${1#*=} ;;
      --profile) OPT_PROFILE=${2:?--profile needs dev or prod} && shift ;;
      --profile=*) OPT_PROFILE=${1#*=} ;;
      *) OPT_REST+=("$1") ;;
    esac
    shift
  done
  settings_load
  settings_check
}

# Only one command at a time changes a checkout's stack. The descriptor 9 holds the lock.
lock_take() {
  exec 9>"$RUN_DIR/lock"
  flock -n 9 || die "another infra command is at work on $RUN_DIR"
}
