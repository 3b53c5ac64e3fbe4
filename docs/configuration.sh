#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes docs/configuration.md from the tables in the programs:
#   docs/configuration.sh BIN_FOLDER            prints it
#   docs/configuration.sh BIN_FOLDER --check    fails when the page in the tree is another one
set -euo pipefail
cd "$(dirname "$0")/.."
PROGRAMS=(auth users delivery edge gateway xmpp)

page() {
  cat <<'TEXT'
# Configuration

Made by `docs/configuration.sh` from the tables in the programs; do not edit by hand.

Each program reads one INI file with a section `[causeway]`, named by `--config`. The environment variable
`CAUSEWAY_<KEY>` overrides a key. Unknown keys and values out of range end the start with a message that names
the key and what is allowed. `--check-config` only checks, `--print-config` shows what is in force. Keys ending in
`_file` name a file that holds the secret; it must not be readable by others. `infra/up` writes these files to `run/etc`.
TEXT
  local program
  for program in "${PROGRAMS[@]}"; do
    printf '\n## causeway-%s\n\n' "$program"
    "$1/causeway-$program" --print-config-docs
  done
}

main() {
  [ $# -ge 1 ] || { echo "usage: docs/configuration.sh BIN_FOLDER [--check]" >&2; exit 2; }
  if [ "${2-}" = --check ]; then
    diff -u docs/configuration.md <(page "$1") || { echo "docs/configuration.md is stale: docs/configuration.sh BIN > docs/configuration.md"; exit 1; }
  else
    page "$1"
  fi
}

main "$@"
