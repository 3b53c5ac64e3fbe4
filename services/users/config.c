// SPDX-License-Identifier: Apache-2.0
#include "users/config.h"

#define MEMBER(field) offsetof(struct users_config, field)

static const struct config_key keys[] = {
    {"pg_dsn", CONFIG_STRING, MEMBER(pg_dsn), NULL, 1, 1024,
     "PostgreSQL connection string without password; the host is numeric."},
    {"pg_password_file", CONFIG_SECRET, MEMBER(pg_password), NULL, 1, 256,
     "File with the database password."},
    {"pg_connections", CONFIG_INT, MEMBER(pg_connections), "2", 1, 32,
     "Connections to PostgreSQL."},
    {"auth_url", CONFIG_STRING, MEMBER(auth_url), NULL, 1, 256,
     "Base URL of the auth service, whose keys verify access tokens."},
    {"auth_issuer", CONFIG_STRING, MEMBER(auth_issuer), "causeway", 1, 256,
     "Issuer that access tokens must name."},
};

struct config_table users_config_table(struct users_config *target) {
    return (struct config_table){keys, COUNT_OF(keys), target};
}
