# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Redis: hints only. The password stands in a generated file, not on the command line.

redis_ask() {
  REDISCLI_AUTH=$(secret redis) redis-cli -h 127.0.0.1 -p "$(port redis)" "$@" 2>/dev/null
}

redis_ready() {
  [ "$(redis_ask ping)" = PONG ]
}

redis_prepare() {
  mkdir -p "$DATA_DIR/redis" || return 1
  secret_render "$INFRA/redis/redis.conf.in" "$ETC_DIR/redis.conf" "PORT=$(port redis)" \
    "DIR=$DATA_DIR/redis" "PASSWORD=$(secret redis)" "MAXMEMORY=$(profile_value redis_maxmemory)"
}

redis_start() {
  proc_start redis redis-server "$ETC_DIR/redis.conf"
}

redis_stop() {
  proc_stop redis TERM 10
}
