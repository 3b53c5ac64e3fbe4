// SPDX-License-Identifier: Apache-2.0
#include "auth/config.h"

#define MEMBER(field) offsetof(struct auth_config, field)

static const struct config_key keys[] = {
    {"pg_dsn", CONFIG_STRING, MEMBER(pg_dsn), NULL, 1, 1024,
     "PostgreSQL connection string without password; the host is numeric."},
    {"pg_password_file", CONFIG_SECRET, MEMBER(pg_password), NULL, 1, 256,
     "File with the database password."},
    {"pg_connections", CONFIG_INT, MEMBER(pg_connections), "2", 1, 32,
     "Connections to PostgreSQL."},
    {"users_url", CONFIG_STRING, MEMBER(users_url), NULL, 1, 256, "Base URL of the users service."},
    {"auth_issuer", CONFIG_STRING, MEMBER(auth_issuer), "causeway", 1, 256,
     "Issuer that access tokens name."},
    {"signing_secret_file", CONFIG_SECRET, MEMBER(signing_secret), NULL, 32, 1024,
     "File with the secret that encrypts the signing keys and authenticates refresh tokens; the "
     "same for all auth processes."},
    {"access_token_s", CONFIG_INT, MEMBER(access_token_s), "600", 60, 3600,
     "Life of an access token, in seconds."},
    {"refresh_token_days", CONFIG_INT, MEMBER(refresh_token_days), "30", 1, 365,
     "Life of a session from its login, however often it is refreshed, in days."},
    {"hash_workers", CONFIG_INT, MEMBER(hash_workers), "2", 1, 4,
     "Password hashes computed at once; each takes 19 MiB."},
    {"hash_queue_max", CONFIG_INT, MEMBER(hash_queue_max), "64", 1, 4096,
     "Password hashes waiting; more are answered OVERLOADED."},
    {"handle_tries_max", CONFIG_INT, MEMBER(handle_tries_max), "10", 1, 1000,
     "Failed logins of one handle, or of one known device of its person, in a row."},
    {"handle_try_s", CONFIG_INT, MEMBER(handle_try_s), "10", 1, 3600,
     "After how many seconds one more is allowed."},
    {"peer_tries_max", CONFIG_INT, MEMBER(peer_tries_max), "200", 1, 1000000,
     "Failed logins and registrations from one network address in a row."},
    {"peer_try_s", CONFIG_INT, MEMBER(peer_try_s), "1", 1, 3600,
     "After how many seconds one more is allowed."},
};

struct config_table auth_config_table(struct auth_config *target) {
    return (struct config_table){keys, COUNT_OF(keys), target};
}
