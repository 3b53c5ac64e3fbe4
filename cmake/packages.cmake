# SPDX-License-Identifier: Apache-2.0
# The libraries, by pkg-config; each is linked only where a target names it.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

foreach(pair
        UV=libuv PROTOBUFC=libprotobuf-c RDKAFKA=rdkafka PQ=libpq HIREDIS=hiredis
        CRYPTO=libcrypto SSL=libssl CURL=libcurl ARGON2=libargon2 JANSSON=jansson EXPAT=expat
        INIH=inih MARIADB=libmariadb CHECK=check)
    string(REPLACE "=" ";" pair ${pair})
    list(GET pair 0 name)
    list(GET pair 1 module)
    pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
endforeach()
