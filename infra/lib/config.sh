# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Writes run/etc/<node>.ini for each of our programs. Secrets are named by file, never written here.

# Names that everything here is asked for by; any other one is a page of somebody else's.
LOCAL_HOSTS=127.0.0.1,localhost

config_write_all() {
  local node
  for node in "${PROGRAM_NODES[@]}"; do
    config_write "$node" || return 1
  done
}

# config_write NODE: what every program has, then its own.
config_write() {
  local node=$1 program http_port group pair
  program_row "$node"
  {
    echo '[causeway]'
    config_common "$node" "$(port "$http_port")"
    "config_${program#causeway-}" "$node"
  } >"$ETC_DIR/$node.ini"
}

# keys KEY VALUE KEY VALUE...
keys() {
  while [ $# -gt 0 ]; do
    printf '%s = %s\n' "$1" "$2"
    shift 2
  done
}

config_common() {
  keys node "$1" http_host 127.0.0.1 http_hosts "$LOCAL_HOSTS" http_port "$2" \
    log_level "$(profile_value log_level)" drain_ms "$(profile_value drain_ms)" \
    internal_key_file "$(secret_file internal_key)"
}

config_postgres() {
  keys pg_dsn "host=127.0.0.1 port=$(port postgres) dbname=$PG_DATABASE user=$1" \
    pg_password_file "$(secret_file "pg_$1")"
}

config_redis() {
  keys redis_host 127.0.0.1 redis_port "$(port redis)" redis_password_file "$(secret_file redis)"
}

config_kafka() { keys kafka_brokers "127.0.0.1:$(port kafka)"; }
config_delivery_nodes() { keys delivery_nodes "d1=127.0.0.1:$(port d1_stream)"; }
config_auth_url() { keys auth_url "http://127.0.0.1:$(port auth)"; }
config_users_url() { keys users_url "http://127.0.0.1:$(port users)"; }

config_auth() {
  config_postgres causeway_auth
  config_users_url
  keys signing_secret_file "$(secret_file auth_key)"
}

config_users() {
  config_postgres causeway_users
  config_auth_url
}

config_delivery() {
  config_postgres causeway_delivery
  config_redis
  config_kafka
  config_delivery_nodes
  config_users_url
  keys stream_host 127.0.0.1 stream_port "$(port "$1_stream")"
}

config_edge() {
  config_redis
  config_delivery_nodes
  config_auth_url
  keys ws_host 127.0.0.1 ws_hosts "$LOCAL_HOSTS" ws_port "$(port edge_ws)" \
    ws_origins "http://127.0.0.1:$(port gateway),http://localhost:$(port gateway)"
}

config_gateway() {
  config_auth_url
  config_users_url
  keys edge_url "ws://127.0.0.1:$(port edge_ws)/v1/connect" web_root "$WEB_DIR/dist" \
    tenant "$TENANT_SLUG" status_nodes "$(config_status_nodes)"
}

# Whom the gateway's /status asks: everyone but itself.
config_status_nodes() {
  local node program http_port group pair separator=''
  for node in "${PROGRAM_NODES[@]}"; do
    [ "$node" != gateway ] || continue
    program_row "$node"
    printf '%s%s=http://127.0.0.1:%s' "$separator" "$node" "$(port "$http_port")"
    separator=,
  done
}

config_xmpp() {
  config_postgres causeway_xmpp
  config_redis
  config_delivery_nodes
  config_users_url
  keys tenant "$TENANT_SLUG" standby "$([ "$1" = xmpp-b ] && echo true || echo false)" \
    component_host 127.0.0.1 component_port "$(port component)" component_domain "$NATIVE_DOMAIN" \
    component_secret_file "$(secret_file component)" legacy_domain "$LEGACY_DOMAIN" \
    archive_host 127.0.0.1 archive_port "$(port mariadb)" archive_database "$MARIADB_DATABASE" \
    archive_user causeway_archive archive_password_file "$(secret_file mariadb_archive)"
}
