# SPDX-License-Identifier: Apache-2.0
cw_test(services/lib/cache/cache_test cache)
