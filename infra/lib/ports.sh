# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Every port is one base number plus an offset from this table.

declare -A PORT_OFFSET=(
  [gateway]=0 [edge_ws]=1 [auth]=2 [users]=3 [d1]=4 [edge]=5 [xmpp-a]=6 [xmpp-b]=7 [d2]=8
  [d1_stream]=10 [d2_stream]=11
  [postgres]=20 [redis]=21 [kafka]=22 [kafka_controller]=23 [mariadb]=24
  [c2s]=25 [c2s_tls]=26 [ejabberd]=27 [component]=28
)

port() {
  echo $((BASE_PORT + PORT_OFFSET[$1]))
}

# Whether somebody listens there on the loopback interface.
port_open() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# A part that is not ours must not sit on a port we are about to use.
port_must_be_free() {
  local part=$1 number=$2
  port_open "$number" || return 0
  say_error "$part: port $number is taken by another program"
  say_hint "choose other ports: infra/up --base NUMBER (this checkout uses base $BASE_PORT)"
  return 1
}
