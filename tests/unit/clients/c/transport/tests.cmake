# SPDX-License-Identifier: Apache-2.0
cw_test(clients/c/transport/outbox_file_test transport)
cw_test(clients/c/transport/runner_test transport)
cw_test(clients/c/transport/ws_client_test transport)
cw_test(clients/c/transport/ws_client_frames_test transport)
cw_test(clients/c/transport/url_test transport)
