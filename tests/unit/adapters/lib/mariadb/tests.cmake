# SPDX-License-Identifier: Apache-2.0
cw_test(adapters/lib/mariadb/mariadb_test mariadb)
