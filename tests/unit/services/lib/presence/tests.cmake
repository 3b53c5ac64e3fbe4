# SPDX-License-Identifier: Apache-2.0
cw_test(services/lib/presence/roster_test presence)
cw_test(services/lib/presence/presence_test presence)
