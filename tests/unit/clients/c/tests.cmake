# SPDX-License-Identifier: Apache-2.0
cw_test(clients/c/outbox_test client)
cw_test(clients/c/receive_test client)
cw_test(clients/c/link_test client)
cw_test(clients/c/world_test client)
