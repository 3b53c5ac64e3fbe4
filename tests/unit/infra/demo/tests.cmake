# SPDX-License-Identifier: Apache-2.0
add_test(NAME infra/demo/tally_test COMMAND python3 -B ${CMAKE_SOURCE_DIR}/tests/unit/infra/demo/tally_test.py)
set_tests_properties(infra/demo/tally_test PROPERTIES TIMEOUT 60
    ENVIRONMENT PYTHONPATH=${CMAKE_SOURCE_DIR}/infra/demo.d)
