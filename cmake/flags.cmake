# SPDX-License-Identifier: Apache-2.0
# C17, warnings, and the OpenSSF hardening flags that this compiler knows. The active set is printed.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

option(CAUSEWAY_CRASH_POINTS "compile the named crash points in (tests only)" OFF)
set(CAUSEWAY_SANITIZE "" CACHE STRING "address,undefined | thread | fuzzer")

set(wanted_compile
    -Wall -Wextra -Wno-missing-field-initializers -Wformat=2 -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough -Wshadow
    -Wstrict-prototypes -Wmissing-prototypes -Wtrampolines
    -Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types
    -Werror=int-conversion -Werror=return-type -Werror=unused-result
    -fstack-clash-protection -fstack-protector-strong -fcf-protection=full
    -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing
    -ftrivial-auto-var-init=zero -fstrict-flex-arrays=3)
set(wanted_link
    -Wl,-z,nodlopen -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now
    -Wl,--as-needed -Wl,--no-copy-dt-needed-entries)

# -Werror=format-security is only known beside -Wformat.
set(CMAKE_REQUIRED_FLAGS -Wformat)
set(active "")
foreach(flag IN LISTS wanted_compile)
    string(MAKE_C_IDENTIFIER "HAS${flag}" var)
    check_c_compiler_flag(${flag} ${var})
    if(${var})
        add_compile_options(${flag})
        list(APPEND active ${flag})
    endif()
endforeach()
unset(CMAKE_REQUIRED_FLAGS)
foreach(flag IN LISTS wanted_link)
    string(MAKE_C_IDENTIFIER "LINK${flag}" var)
    check_linker_flag(C ${flag} ${var})
    if(${var})
        add_link_options(${flag})
        list(APPEND active ${flag})
    endif()
endforeach()
add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
add_compile_definitions(_GNU_SOURCE CAUSEWAY_VERSION="${PROJECT_VERSION}")

if(CAUSEWAY_SANITIZE)
    add_compile_options(-fsanitize=${CAUSEWAY_SANITIZE} -fno-omit-frame-pointer -g)
    add_link_options(-fsanitize=${CAUSEWAY_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
if(CAUSEWAY_CRASH_POINTS)
    add_compile_definitions(CAUSEWAY_CRASH_POINTS)
endif()
# PRE() is ours; assert() stays on in every build too.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")

string(REPLACE ";" " " active "${active}")
message(STATUS "hardening and warning flags: ${active}")
