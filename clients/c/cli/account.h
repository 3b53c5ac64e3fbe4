// SPDX-License-Identifier: Apache-2.0
// Who is logged in: `causeway register`, `causeway login`, and fresh tokens for the rest.
#pragma once

#include "cli/api.h"
#include "cli/home.h"

// password_file: NULL asks at the terminal. Saves the session. Prints the outcome.
MUST_USE enum result account_register(struct home *h, const char *password_file);
MUST_USE enum result account_login(struct home *h, const char *password_file);

// A fresh access token; the new refresh token is saved before it is given. token is NULL when it
// failed; denied: the session is over, only a login helps.
typedef void account_token(void *arg, const char *token, bool denied);
void account_refresh(struct api *a, struct home *h, account_token *done, void *arg);
