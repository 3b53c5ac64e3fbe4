# SPDX-License-Identifier: Apache-2.0
cw_test(services/lib/net/stream_test net)
cw_test(services/lib/net/http_head_test net)
cw_test(services/lib/net/stream_raw_test net)
cw_test(services/lib/net/http_server_test net)
cw_test(services/lib/net/http_client_test net)
