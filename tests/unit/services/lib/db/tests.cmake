# SPDX-License-Identifier: Apache-2.0
cw_test(services/lib/db/db_test db)
