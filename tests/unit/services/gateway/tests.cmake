# SPDX-License-Identifier: Apache-2.0
foreach(name config files forward status program)
    cw_test(services/gateway/${name}_test gateway)
endforeach()
target_compile_definitions(test_services_gateway_program_test
    PRIVATE GATEWAY_PROGRAM="$<TARGET_FILE:causeway-gateway>")
add_dependencies(test_services_gateway_program_test causeway-gateway)
