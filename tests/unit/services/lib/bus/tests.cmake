# SPDX-License-Identifier: Apache-2.0
cw_test(services/lib/bus/producer_test bus)
