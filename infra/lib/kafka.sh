# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Kafka: one KRaft broker from the jars of Maven Central. The class archive (AppCDS) that halves its
# start is written when the first broker ever started here stops; nothing depends on it.

KAFKA_JARS=$CACHE_DIR/kafka-$KAFKA_VERSION

kafka_fetch_jars() {
  local new=$KAFKA_JARS.new.$$ log=$LOG_DIR/kafka-jars.log
  [ ! -d "$KAFKA_JARS" ] || return 0
  rm -rf "$new"
  mkdir -p "$CACHE_DIR" || return 1
  say "downloading Kafka $KAFKA_VERSION (43 MB, once)"
  mvn -q -B -ntp -f "$INFRA/kafka/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$new" -Dkafka.version="$KAFKA_VERSION" >"$log" 2>&1 ||
    { part_failed kafka "its jars could not be downloaded" "$log" "check the network, then infra/up"; return 1; }
  # Another checkout may have been faster: its folder is as good.
  mv -T "$new" "$KAFKA_JARS" 2>/dev/null || rm -rf "$new"
}

# The class path has to be the same string at each start: the archive is bound to it.
kafka_class_path() {
  printf '%s:' "$KAFKA_JARS"/*.jar
}

kafka_archive() {
  local id
  id=$({ java -version 2>&1; kafka_class_path; } | cksum | cut -d' ' -f1)
  echo "$CACHE_DIR/kafka-$KAFKA_VERSION-$id.jsa"
}

kafka_jvm() {
  java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    "-Dlog4j2.configurationFile=$INFRA/kafka/log4j2.xml" -cp "$(kafka_class_path)" "$@"
}

kafka_ready() {
  port_open "$(port kafka)" && kafka_topics_listed >/dev/null
}

kafka_topics_listed() {
  kcat -L -J -m 2 -b "127.0.0.1:$(port kafka)" 2>/dev/null |
    grep -o '"topic":"[^"]*"' || [ "${PIPESTATUS[0]}" = 0 ]
}

kafka_prepare() {
  local dir=$DATA_DIR/kafka
  mkdir -p "$dir" || return 1
  secret_render "$INFRA/kafka/server.properties.in" "$ETC_DIR/kafka.properties" "DIR=$dir/log" \
    "PORT=$(port kafka)" "CONTROLLER_PORT=$(port kafka_controller)"
  [ ! -f "$dir/log/meta.properties" ] || return 0
  kafka_jvm kafka.tools.StorageTool format -t "$(openssl rand -hex 8 | tr -d '\n' | base64 | cut -c1-22)" \
    -c "$ETC_DIR/kafka.properties" >>"$(proc_log kafka)" 2>&1 ||
    part_failed kafka "its data folder could not be formatted" "$(proc_log kafka)" \
      "read the lines above; infra/reset starts over"
}

kafka_start() {
  local archive heap cds
  archive=$(kafka_archive)
  heap=$(profile_value kafka_heap)
  cds=-XX:ArchiveClassesAtExit=$DATA_DIR/kafka/classes.jsa
  [ ! -f "$archive" ] || cds=-XX:SharedArchiveFile=$archive
  proc_start kafka java -Xms64m "-Xmx$heap" -XX:+UseSerialGC -XX:MaxDirectMemorySize=256m \
    -XX:TieredStopAtLevel=1 "$cds" -Xlog:cds=off -Xlog:cds+dynamic=off \
    "-Dlog4j2.configurationFile=$INFRA/kafka/log4j2.xml" -cp "$(kafka_class_path)" \
    kafka.Kafka "$ETC_DIR/kafka.properties"
}

kafka_stop() {
  local made=$DATA_DIR/kafka/classes.jsa
  proc_stop kafka TERM 40 || return 1
  [ ! -f "$made" ] || mv "$made" "$(kafka_archive)"
}

kafka_topic_exists() {
  kafka_topics_listed | grep -qxF "\"topic\":\"$1\""
}

# Topics that exist are left alone: their settings belong to whoever runs the place.
kafka_make_topics() {
  local topic options
  while read -r topic options; do
    [[ $topic == '#'* ]] || kafka_topic_exists "$topic" ||
      kafka_make_topic "$topic" $options || return 1
  done <"$INFRA/kafka/topics.txt"
}

kafka_make_topic() {
  local topic=$1
  shift
  kafka_jvm org.apache.kafka.tools.TopicCommand --bootstrap-server "127.0.0.1:$(port kafka)" \
    --create --if-not-exists --topic "$topic" --replication-factor 1 "$@" \
    >>"$(proc_log kafka)" 2>&1 </dev/null ||
    part_failed kafka "topic $topic could not be made" "$(proc_log kafka)" "read the lines above"
}
