#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes src/gen/ from the .proto files (protoc and the pinned protoc-gen-es).
set -eu
cd "$(dirname "$0")/.."
rm -rf src/gen
mkdir -p src/gen
protoc -I ../../proto \
    --plugin=protoc-gen-es=node_modules/.bin/protoc-gen-es \
    --es_out=src/gen --es_opt=target=ts,import_extension=none \
    causeway/model/v1/model.proto causeway/client/v1/client.proto \
    causeway/auth/v1/auth.proto causeway/users/v1/users.proto
