# SPDX-License-Identifier: Apache-2.0
set(proto_dir ${CMAKE_CURRENT_LIST_DIR})
set(proto_out ${CMAKE_BINARY_DIR}/include/test_proto)
file(MAKE_DIRECTORY ${proto_out})
add_custom_command(OUTPUT ${proto_out}/every_kind.pb-c.c ${proto_out}/every_kind.pb-c.h
    COMMAND ${PROTOC} -I ${proto_dir} -I /usr/include --plugin=protoc-gen-c=${PROTOC_GEN_C}
            --c_out=${proto_out} ${proto_dir}/every_kind.proto
    DEPENDS ${proto_dir}/every_kind.proto VERBATIM)
add_library(cw_test_proto STATIC ${proto_out}/every_kind.pb-c.c)
target_include_directories(cw_test_proto SYSTEM PUBLIC ${proto_out})
target_compile_options(cw_test_proto PRIVATE -w)
target_link_libraries(cw_test_proto PUBLIC PkgConfig::PROTOBUFC)

cw_test(services/lib/wire/pb_test wire test_proto)
cw_test(services/lib/wire/json_encode_test wire test_proto)
cw_test(services/lib/wire/json_decode_test wire test_proto)
