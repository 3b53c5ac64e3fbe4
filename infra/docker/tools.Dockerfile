# SPDX-License-Identifier: Apache-2.0
# Applies the schema migrations, once, and ends.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends postgresql-client-15 \
 && rm -rf /var/lib/apt/lists/*
COPY . /opt/causeway/infra
USER 10001:10001
ENTRYPOINT ["/opt/causeway/infra/docker/schema.sh"]
