// SPDX-License-Identifier: Apache-2.0
// The answer to whoever has proved who he is: a session with its access and refresh token.
#pragma once

#include "auth/auth.h"
#include "auth/refresh_token.h"
#include "auth/store.h"

// A session that a login or registration begins, with its first token. device_name is borrowed.
struct grant {
    struct new_session row;
    struct refresh_token token;
};

struct grant grant_new(const struct auth *a, struct uuid tenant_id, struct uuid user_id,
                       struct uuid wanted_device, struct slice device_name);
// Ends the call: signs an access token for the session as the store has it.
void grant_reply(const struct auth *a, struct rpc *call, const struct session *s,
                 const struct refresh_token *token);
