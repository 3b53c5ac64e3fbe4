// SPDX-License-Identifier: Apache-2.0
#include "crypto/password.h"

#include <argon2.h>

#include "base/id.h"

#define MEMORY_KIB 19456
#define PASSES 2
#define LANES 1
#define SALT_BYTES 16
#define HASH_BYTES 32

// Costs as much as a real one; the password it was made from does not matter, see below.
static const char NOBODY[] = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keS1ubw"
                             "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

enum result password_hash(struct slice password, char phc[PASSWORD_PHC_MAX]) {
    uint8_t salt[SALT_BYTES];
    char text[PASSWORD_PHC_MAX];
    if (password.len < PASSWORD_BYTES_MIN || password.len > PASSWORD_BYTES_MAX) return INVALID;
    random_bytes(salt, sizeof salt);
    int error = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password.data, password.len, salt,
                                      sizeof salt, HASH_BYTES, text, sizeof text);
    PRE(error == ARGON2_OK || error == ARGON2_MEMORY_ALLOCATION_ERROR);
    if (error) return BUSY;
    memcpy(phc, text, sizeof text);
    return OK;
}

bool password_verify(struct slice password, const char *phc) {
    if (password.len > PASSWORD_BYTES_MAX) return false;
    int error = argon2id_verify(phc ? phc : NOBODY, password.data, password.len);
    return phc && error == ARGON2_OK;
}
