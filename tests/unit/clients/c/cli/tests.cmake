# SPDX-License-Identifier: Apache-2.0
cw_test(clients/c/cli/home_test cli)
cw_test(clients/c/cli/chat_test cli net wire)
cw_test(clients/c/cli/account_test cli)
cw_test(clients/c/cli/api_test cli)
cw_test(clients/c/cli/dialog_test cli)
