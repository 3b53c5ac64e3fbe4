# SPDX-License-Identifier: Apache-2.0
cw_test(infra/supervisor/keeper_test supervisor)
cw_test(infra/supervisor/table_test supervisor)
cw_test(infra/supervisor/child_test supervisor)
cw_test(infra/supervisor/status_test supervisor)
cw_test(infra/supervisor/supervisor_test supervisor)
