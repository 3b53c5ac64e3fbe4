# SPDX-License-Identifier: Apache-2.0
foreach(name options service rpc_code)
    cw_test(services/lib/service/${name}_test service)
endforeach()
