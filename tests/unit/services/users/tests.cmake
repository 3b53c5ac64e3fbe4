# SPDX-License-Identifier: Apache-2.0
cw_test(services/users/handle_test users)
foreach(name people links)
    cw_test(services/users/${name}_test auth users)
    target_link_libraries(test_services_users_${name}_test PRIVATE PkgConfig::JANSSON)
    target_include_directories(test_services_users_${name}_test PRIVATE ${CMAKE_CURRENT_LIST_DIR}/../auth)
endforeach()
