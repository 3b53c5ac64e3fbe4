# SPDX-License-Identifier: Apache-2.0
cw_test(services/edge/session_test edge)
cw_test(services/edge/commands_test edge)
cw_test(services/edge/conversations_test edge)
cw_test(services/edge/memberships_test edge)
cw_test(services/edge/world_test edge)
cw_test(services/edge/parts_test edge)
cw_test(services/edge/tokens_test edge)
