# SPDX-License-Identifier: Apache-2.0
foreach(name throttle refresh_token keys)
    cw_test(services/auth/${name}_test auth)
endforeach()
foreach(name login register refresh keys_store)
    cw_test(services/auth/${name}_test auth users)
    target_link_libraries(test_services_auth_${name}_test PRIVATE PkgConfig::JANSSON)
endforeach()
