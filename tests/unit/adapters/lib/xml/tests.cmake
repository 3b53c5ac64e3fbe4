# SPDX-License-Identifier: Apache-2.0
cw_test(adapters/lib/xml/reader_test xml)
cw_test(adapters/lib/xml/writer_test xml)
target_include_directories(test_adapters_lib_xml_writer_test PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz)
