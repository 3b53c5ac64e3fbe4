# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Secrets are made once, at first start, into files of mode 0600. Their names are here.

SECRET_NAMES=(
  pg_admin pg_causeway_auth pg_causeway_users pg_causeway_delivery pg_causeway_xmpp
  redis mariadb_root mariadb_ejabberd mariadb_archive component internal_key auth_key
  person_alice person_bob person_carol
)

secret_file() { echo "$SECRET_DIR/$1"; }
secret() { cat "$SECRET_DIR/$1"; }

secrets_make() {
  local name
  for name in "${SECRET_NAMES[@]}"; do
    [ -s "$SECRET_DIR/$name" ] || secret_make_one "$name" || return 1
  done
}

# Hexadecimal, so that no configuration format has to quote it. No newline at the end.
secret_make_one() {
  local value bytes=32
  # People type theirs.
  [[ $1 != person_* ]] || bytes=8
  value=$(openssl rand -hex "$bytes") || return 1
  (umask 077 && printf %s "$value" >"$SECRET_DIR/$1.new") && mv "$SECRET_DIR/$1.new" "$SECRET_DIR/$1"
}

# secret_render TEMPLATE TARGET NAME=VALUE...: fills @NAME@; the result may hold secrets.
secret_render() {
  local text target=$2 pair
  text=$(cat "$1") || return 1
  shift 2
  for pair in "$@"; do
    text=${text//"@${pair%%=*}@"/"${pair#*=}"}
  done
  (umask 077 && printf '%s\n' "$text" >"$target.new") && mv "$target.new" "$target"
}
