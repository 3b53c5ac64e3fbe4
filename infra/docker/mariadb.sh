#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run once by the image's own entrypoint: the accounts of company B's database.
sql=$(cat /etc/causeway/accounts.sql.in)
sql=${sql//@DATABASE@/ejabberd}
sql=${sql//@CLIENTS@/%}
sql=${sql//@EJABBERD@/"$(cat /run/secrets/mariadb_ejabberd)"}
sql=${sql//@ARCHIVE@/"$(cat /run/secrets/mariadb_archive)"}
docker_process_sql <<<"$sql"
