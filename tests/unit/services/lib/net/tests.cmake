# SPDX-License-Identifier: Apache-2.0
cw_test(services/lib/net/stream_test net)
