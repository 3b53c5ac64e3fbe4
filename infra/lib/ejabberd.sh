# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ejabberd: company B's monolith, its virtual machine started directly. A node without a name needs
# no cookie, no epmd and no distribution port; it is asked over its HTTP interface.

ejabberd_api() {
  local call=$1 body=${2:-'{}'}
  curl -s -S --max-time 10 -H 'Content-Type: application/json' --data-binary @- \
    "http://127.0.0.1:$(port ejabberd)/api/$call" <<<"$body"
}

ejabberd_ready() {
  port_open "$(port component)" && port_open "$(port c2s)" &&
    [[ $(ejabberd_api status 2>/dev/null) == *started* ]]
}

ejabberd_make_certificate() {
  local file=$SECRET_DIR/legacy.pem
  [ ! -s "$file" ] || return 0
  (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj "/CN=$LEGACY_DOMAIN" -addext "subjectAltName=DNS:$LEGACY_DOMAIN,DNS:*.$LEGACY_DOMAIN" \
    -keyout "$file.key" -out "$file.crt" 2>/dev/null &&
    cat "$file.key" "$file.crt" >"$file" && rm "$file.key" "$file.crt")
}

ejabberd_prepare() {
  mkdir -p "$DATA_DIR/ejabberd/spool" || return 1
  ejabberd_make_certificate || return 1
  secret_render "$INFRA/ejabberd/ejabberd.yml.in" "$ETC_DIR/ejabberd.yml" "DOMAIN=$LEGACY_DOMAIN" \
    LISTEN=127.0.0.1 SQL_HOST=127.0.0.1 \
    "NATIVE_DOMAIN=$NATIVE_DOMAIN" "CERTIFICATE=$SECRET_DIR/legacy.pem" "SQL_PORT=$(port mariadb)" \
    "SQL_DATABASE=$MARIADB_DATABASE" "SQL_PASSWORD=$(secret mariadb_ejabberd)" \
    "C2S_PORT=$(port c2s)" "C2S_TLS_PORT=$(port c2s_tls)" "HTTP_PORT=$(port ejabberd)" \
    "COMPONENT_PORT=$(port component)" "COMPONENT_SECRET=$(secret component)" \
    "STARTTLS_REQUIRED=$(profile_value starttls_required)"
}

ejabberd_start() {
  local dir=$DATA_DIR/ejabberd libraries=(/usr/lib/*/ejabberd-*)
  proc_start ejabberd env "ERL_LIBS=${libraries[0]%/*}" "HOME=$dir" ERL_CRASH_DUMP_BYTES=0 \
    "EJABBERD_CONFIG_PATH=$ETC_DIR/ejabberd.yml" "EJABBERD_LOG_PATH=$dir/ejabberd.log" \
    erl -noinput +K true +P 250000 +S 2 +sbwt none +sbwtdcpu none +sbwtdio none \
    -mnesia dir "\"$dir/spool\"" -s ejabberd
}

ejabberd_stop() {
  proc_stop ejabberd TERM 20
}

# ejabberd_make_account NAME SECRET: answers well when the account is there already.
ejabberd_make_account() {
  local answer
  answer=$(ejabberd_api register \
    "{\"user\":\"$1\",\"host\":\"$LEGACY_DOMAIN\",\"password\":\"$(secret "$2")\"}")
  [[ $answer == *registered* ]] && return 0
  part_failed ejabberd "account $1 could not be made: $answer" "$(proc_log ejabberd)" "read the lines above"
}
