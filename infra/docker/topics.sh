#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the topics of kafka/topics.txt, once, and ends.
set -eu
grep -v '^#' /etc/causeway/topics.txt | while read -r topic options; do
  # shellcheck disable=SC2086
  /opt/kafka/bin/kafka-topics.sh --bootstrap-server kafka:9092 --create --if-not-exists \
    --topic "$topic" --replication-factor 1 $options </dev/null
done
