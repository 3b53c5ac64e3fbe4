# SPDX-License-Identifier: Apache-2.0
foreach(name options service rpc_code rpc_server rpc_client jwks frame upstream)
    cw_test(services/lib/service/${name}_test service)
endforeach()
