// SPDX-License-Identifier: Apache-2.0
// The running servers a test talks to: a stack made by infra/up, named by the environment variable
// CAUSEWAY_TEST_RUN (its run folder). Without it such tests say that they were skipped.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct stack {
    char run[512];
    uint16_t base_port;
};

// Offsets from the base port, as in docs/operations.md.
enum { PORT_POSTGRES = 20, PORT_REDIS = 21, PORT_KAFKA = 22 };

// false: not there; a line "skipped: <what>" was printed.
bool stack_find(const char *what, struct stack *out);
// Content of run/secrets/<name> without the line end; aborts when it is missing.
void stack_secret(const struct stack *s, const char *name, char *out, unsigned size);
