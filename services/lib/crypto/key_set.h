// SPDX-License-Identifier: Apache-2.0
// Private to crypto: how the verifier reads a key set.
#pragma once

#include <openssl/types.h>

#include "base/slice.h"
#include "crypto/token.h"

// NULL: no key of that name.
EVP_PKEY *key_set_find(const struct key_set *s, struct slice kid);
