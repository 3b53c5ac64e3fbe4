# SPDX-License-Identifier: Apache-2.0
# Company B's monolith, as Debian packages it.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ejabberd erlang-p1-mysql mariadb-client openssl curl \
 && rm -rf /var/lib/apt/lists/*
COPY . /opt/causeway/infra
USER 10001:10001
ENTRYPOINT ["/opt/causeway/infra/docker/ejabberd.sh"]
