// SPDX-License-Identifier: Apache-2.0
#include "xmpp/config.h"

#define MEMBER(field) offsetof(struct settings, field)
#define TEXT(name, fallback, doc) \
    { #name, CONFIG_STRING, MEMBER(name), fallback, 1, 255, doc }
#define SECRET(member, name, doc) \
    { name, CONFIG_SECRET, MEMBER(member), NULL, 1, 256, doc }
#define NUMBER(name, fallback, least, most, doc) \
    { #name, CONFIG_INT, MEMBER(name), fallback, least, most, doc }

const struct config_key settings_keys[SETTINGS_KEYS] = {
    TEXT(pg_dsn, NULL, "PostgreSQL as a libpq conninfo string without password; numeric host."),
    SECRET(pg_password, "pg_password_file", "Password of the adapter's PostgreSQL role."),
    TEXT(redis_host, "127.0.0.1", "Numeric address of Redis."),
    NUMBER(redis_port, NULL, 1, 65535, "TCP port of Redis."),
    SECRET(redis_password, "redis_password_file", "Password of Redis."),
    TEXT(delivery_nodes, NULL, "Delivery processes: name=host:port, separated by commas."),
    TEXT(users_url, NULL, "Base URL of the users service."),
    TEXT(tenant, "demo", "Slug of the tenant whose legacy people are bridged."),
    {"standby", CONFIG_BOOL, MEMBER(standby), "false", 0, 0,
     "Whether to wait for SIGUSR1 before connecting to the legacy server."},
    TEXT(component_host, "127.0.0.1", "Numeric address of the legacy server's component port."),
    NUMBER(component_port, NULL, 1, 65535, "TCP port for components (XEP-0114)."),
    TEXT(component_domain, NULL, "Domain of the native people inside the legacy server."),
    SECRET(component_secret, "component_secret_file", "The component's shared secret."),
    NUMBER(component_silence_ms, "4000", 1500, 600000,
           "A component link silent for so long is dropped, in milliseconds."),
    TEXT(legacy_domain, NULL, "Domain of the legacy people."),
    NUMBER(stanza_bytes_max, "524288", 65536, 16777216, "Largest stanza taken, in bytes."),
    TEXT(archive_host, "127.0.0.1", "Numeric address of the legacy server's MariaDB."),
    NUMBER(archive_port, NULL, 1, 65535, "TCP port of MariaDB."),
    TEXT(archive_database, NULL, "Name of the legacy server's database."),
    TEXT(archive_user, NULL, "An account that may only read."),
    SECRET(archive_password, "archive_password_file", "Password of that account."),
    NUMBER(people_max, "1000000", 100, 100000000, "People kept in memory."),
    NUMBER(conversations_max, "1000000", 100, 100000000,
           "Conversations followed, counted once for each legacy person in them."),
    NUMBER(
        inbound_max, "20000", 100, 1000000,
        "Legacy messages inside the adapter; beyond, nothing more is read from the legacy server."),
    NUMBER(outbound_max, "4096", 16, 1000000,
           "Entries waiting for the legacy side; beyond, they are asked for again later."),
};
