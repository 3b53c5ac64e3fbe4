# SPDX-License-Identifier: Apache-2.0
# One folder = one target. A header of folder `db` is included as "db/db.h"; that works only for targets
# that name db in DEPS, because each library has an include folder of its own.

# Makes <build>/include/<name>/<name> -> this folder, so that the path holds this library's headers only.
function(cw_include_dir name out)
    set(dir ${CMAKE_BINARY_DIR}/include/${name})
    file(MAKE_DIRECTORY ${dir})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${dir}/${name} SYMBOLIC)
    set(${out} ${dir} PARENT_SCOPE)
endfunction()

# cw_library(db DEPS loop PRIVATE PkgConfig::PQ [PUBLIC ...])  all *.c of the folder but main.c
function(cw_library name)
    cmake_parse_arguments(ARG "" "" "DEPS;PRIVATE;PUBLIC" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS *.c)
    list(FILTER sources EXCLUDE REGEX "/main\\.c$")
    list(TRANSFORM ARG_DEPS PREPEND cw_)
    cw_include_dir(${name} dir)
    if(NOT sources)
        add_library(cw_${name} INTERFACE)
        target_include_directories(cw_${name} INTERFACE ${dir})
        target_link_libraries(cw_${name} INTERFACE ${ARG_DEPS} ${ARG_PUBLIC})
        return()
    endif()
    add_library(cw_${name} STATIC ${sources})
    target_include_directories(cw_${name} PUBLIC ${dir})
    target_link_libraries(cw_${name} PUBLIC ${ARG_DEPS} ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# cw_program(edge DEPS service wire)  main.c + a library cw_edge of the rest, so that tests link it
function(cw_program name)
    cmake_parse_arguments(ARG "" "OUTPUT" "DEPS;PRIVATE" ${ARGN})
    cw_library(${name} DEPS ${ARG_DEPS} PRIVATE ${ARG_PRIVATE})
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/main.c)
        return()
    endif()
    if(NOT ARG_OUTPUT)
        set(ARG_OUTPUT causeway-${name})
    endif()
    add_executable(${ARG_OUTPUT} main.c)
    target_link_libraries(${ARG_OUTPUT} PRIVATE cw_${name})
    set_target_properties(${ARG_OUTPUT} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# cw_test(services/lib/base/slice_test base [more libraries])  one Check program per file
function(cw_test path)
    string(REPLACE "/" "_" target ${path})
    list(TRANSFORM ARGN PREPEND cw_ OUTPUT_VARIABLE deps)
    add_executable(test_${target} ${CMAKE_SOURCE_DIR}/tests/unit/${path}.c)
    target_link_libraries(test_${target} PRIVATE ${deps} cw_testing PkgConfig::CHECK)
    add_test(NAME ${path} COMMAND test_${target})
    set_tests_properties(${path} PROPERTIES TIMEOUT 120)
endfunction()
