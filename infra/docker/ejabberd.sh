#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Loads ejabberd's schema when there is none, writes its configuration, becomes ejabberd.
CAUSEWAY_RUN_DIR=$(mktemp -d)
export CAUSEWAY_RUN_DIR
. "$(dirname "$0")/../lib/all.sh"
env_make_dirs || exit 1
ejabberd_make_certificate || exit 1
certificate=$SECRET_DIR/legacy.pem
SECRET_DIR=/run/secrets

client=$ETC_DIR/client.cnf
(umask 077 && printf '[client]\nhost=mariadb\nuser=ejabberd\npassword=%s\n' \
  "$(secret mariadb_ejabberd)" >"$client")
if [ -z "$(mariadb --defaults-file="$client" -N -e "show tables like 'users'" "$MARIADB_DATABASE")" ]; then
  mariadb --defaults-file="$client" "$MARIADB_DATABASE" </usr/share/ejabberd/sql/mysql.new.sql || exit 1
fi

secret_render "$INFRA/ejabberd/ejabberd.yml.in" "$ETC_DIR/ejabberd.yml" "DOMAIN=$LEGACY_DOMAIN" \
  LISTEN=0.0.0.0 SQL_HOST=mariadb "NATIVE_DOMAIN=$NATIVE_DOMAIN" "CERTIFICATE=$certificate" \
  SQL_PORT=3306 "SQL_DATABASE=$MARIADB_DATABASE" "SQL_PASSWORD=$(secret mariadb_ejabberd)" \
  C2S_PORT=5222 C2S_TLS_PORT=5223 HTTP_PORT=5280 COMPONENT_PORT=5275 \
  "COMPONENT_SECRET=$(secret component)" STARTTLS_REQUIRED=true || exit 1

libraries=(/usr/lib/*/ejabberd-*)
export ERL_LIBS=${libraries[0]%/*} HOME=$CAUSEWAY_RUN_DIR ERL_CRASH_DUMP_BYTES=0
export EJABBERD_CONFIG_PATH=$ETC_DIR/ejabberd.yml EJABBERD_LOG_PATH=$LOG_DIR/ejabberd.log
exec erl -noinput +K true -mnesia dir "\"$DATA_DIR\"" -s ejabberd
