// SPDX-License-Identifier: Apache-2.0
// Handles for people of other platforms. Pure.
#pragma once

#include <stdint.h>

#include "base/slice.h"

#define HANDLE_LEN_MAX 32
#define HANDLE_TRIES_MAX 8

struct handle {
    char text[HANDLE_LEN_MAX + 1];
};

// A valid handle made of the part of foreign_id before '@': lower case, what a handle cannot hold
// becomes '-'. The first try is that name alone, when it is one; later tries carry a suffix that
// depends on foreign_id and try only, so that a repeat after a crash proposes the same handles.
struct handle handle_for(struct slice foreign_id, unsigned try);
