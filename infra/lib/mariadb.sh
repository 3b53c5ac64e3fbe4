# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# MariaDB: the database of company B's monolith, with the row binlog that change capture needs.

MARIADB_DATABASE=ejabberd

# Written once per start; holds the root password, so nothing secret is an argument.
mariadb_write_client_file() {
  (umask 077 && printf '[client]\nhost=127.0.0.1\nprotocol=tcp\nport=%s\nuser=root\npassword=%s\ndefault-character-set=utf8mb4\n' \
    "$(port mariadb)" "$(secret mariadb_root)" >"$ETC_DIR/mariadb-root.cnf")
}

mariadb_client() {
  mariadb --defaults-file="$ETC_DIR/mariadb-root.cnf" "$@"
}

mariadb_ready() {
  mariadb-admin --defaults-file="$ETC_DIR/mariadb-root.cnf" ping >/dev/null 2>&1
}

mariadb_prepare() {
  local dir=$DATA_DIR/mariadb
  user_dir mysql "$dir" || return 1
  mariadb_write_client_file || return 1
  [ ! -f "$dir/installed" ] || return 0
  rm -rf "$dir/data"
  mapfile -t AS < <(user_command mysql "$dir")
  (cd "$dir" && "${AS[@]}" mariadb-install-db --no-defaults --datadir="$dir/data" \
    --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve) \
    >>"$(proc_log mariadb)" 2>&1 && mariadb_write_init_file && touch "$dir/installed" && return 0
  part_failed mariadb "its data folder could not be made" "$(proc_log mariadb)" \
    "read the lines above; infra/reset starts over"
}

# Run by the server itself before it listens for anyone: nobody ever meets a root without password.
mariadb_write_init_file() {
  local file=$DATA_DIR/mariadb/init.sql
  secret_render <(cat "$INFRA/mariadb/root.sql.in" "$INFRA/mariadb/accounts.sql.in") "$file" \
    CLIENTS=127.0.0.1 "DATABASE=$MARIADB_DATABASE" \
    "ROOT=$(secret mariadb_root)" "EJABBERD=$(secret mariadb_ejabberd)" \
    "ARCHIVE=$(secret mariadb_archive)" || return 1
  ! is_root || chown mysql: "$file"
}

mariadb_start() {
  local dir=$DATA_DIR/mariadb init=()
  mapfile -t AS < <(user_command mysql "$dir")
  [ ! -f "$dir/init.sql" ] || init=("--init-file=$dir/init.sql")
  cd "$dir" || return 1
  # The socket is not used; as a name inside the data folder it stays short.
  proc_start mariadb "${AS[@]}" mariadbd --no-defaults --datadir="$dir/data" --socket=server.sock \
    --pid-file=server.pid --port="$(port mariadb)" --bind-address=127.0.0.1 --skip-name-resolve \
    --character-set-server=utf8mb4 --collation-server=utf8mb4_unicode_ci \
    --server-id="$(port mariadb)" --log-bin=bin --binlog-format=ROW --binlog-row-image=FULL \
    --binlog-row-metadata=FULL --gtid-strict-mode=ON --sync-binlog=1 \
    --innodb-flush-log-at-trx-commit=1 --innodb-log-file-size=64M --performance-schema=OFF \
    --innodb-buffer-pool-size="$(profile_value mariadb_buffer_pool)" --key-buffer-size=1M \
    --aria-pagecache-buffer-size=8M --expire-logs-days=7 "${init[@]}"
  cd "$ROOT" || return 1
}

mariadb_stop() {
  proc_stop mariadb TERM 30
}

# The schema that ejabberd's package brings; the server itself does not create one.
mariadb_load_schema() {
  rm -f "$DATA_DIR/mariadb/init.sql"
  [ -z "$(mariadb_client -N -e "show tables like 'users'" "$MARIADB_DATABASE")" ] || return 0
  mariadb_client "$MARIADB_DATABASE" </usr/share/ejabberd/sql/mysql.new.sql \
    >>"$(proc_log mariadb)" 2>&1 ||
    part_failed mariadb "ejabberd's schema could not be loaded" "$(proc_log mariadb)" \
      "read the lines above; infra/reset starts over"
}
