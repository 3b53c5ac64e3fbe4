# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What differs between the profiles; docs/operations.md shows the same table.

declare -A PROFILE_DEV=(
  [log_level]=info [drain_ms]=1000
  [pg_shared_buffers]=32MB [redis_maxmemory]=128mb [kafka_heap]=256m [mariadb_buffer_pool]=32M
  [starttls_required]=false
)
declare -A PROFILE_PROD=(
  [log_level]=info [drain_ms]=10000
  [pg_shared_buffers]=512MB [redis_maxmemory]=512mb [kafka_heap]=1g [mariadb_buffer_pool]=256M
  [starttls_required]=true
)

profile_value() {
  if [ "$PROFILE" = prod ]; then echo "${PROFILE_PROD[$1]}"; else echo "${PROFILE_DEV[$1]}"; fi
}
