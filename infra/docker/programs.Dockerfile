# SPDX-License-Identifier: Apache-2.0
# All our programs and the web page in one image; which one runs is the command's choice.
# Build from the checkout's root: docker build -f infra/docker/programs.Dockerfile .
FROM debian:bookworm-slim AS build
WORKDIR /source
COPY infra/packages.txt infra/
RUN apt-get update \
 && awk -F'|' '$2 ~ /build/ && $1 !~ /node|npm/ { print $1 }' infra/packages.txt \
    | xargs apt-get install -y --no-install-recommends
COPY . .
RUN cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release \
 && ninja -C /build causeway-supervisor causeway-auth causeway-users causeway-delivery \
    causeway-edge causeway-gateway causeway-xmpp causeway

FROM node:20-bookworm-slim AS web
RUN apt-get update && apt-get install -y --no-install-recommends protobuf-compiler
WORKDIR /source
COPY proto proto
COPY clients/web clients/web
RUN cd clients/web && npm ci --no-audit --no-fund && npm run build

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl libargon2-1 libcurl4 \
    libexpat1 libhiredis0.14 libinih1 libjansson4 libmariadb3 libpq5 libprotobuf-c1 librdkafka1 \
    libssl3 libuv1 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /build/bin/ /usr/local/bin/
COPY --from=web /source/clients/web/dist /usr/share/causeway/web
COPY infra/docker/adapters.ini /etc/causeway/adapters.ini
USER 10001:10001
