// SPDX-License-Identifier: Apache-2.0
// `causeway chat HANDLE` and `causeway send HANDLE TEXT`.
#pragma once

#include "cli/home.h"

// Lines of standard input go out, what comes in is printed; ends with the input. The exit code.
int chat_run(struct home *h, const char *peer_handle);
// Sends one message and waits for its verdict. Unanswered after 30 s it stays in the outbox and
// goes with the next call (exit code 3).
int chat_send(struct home *h, const char *peer_handle, const char *text);
