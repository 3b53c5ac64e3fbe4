# SPDX-License-Identifier: Apache-2.0
cw_test(loadtest/text_test load)
cw_test(loadtest/tally_test load)
