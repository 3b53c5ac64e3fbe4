// SPDX-License-Identifier: Apache-2.0
// What the command line keeps between two calls: one login, in $CAUSEWAY_HOME or
// ~/.config/causeway, readable by its owner only.
#pragma once

#include "base/result.h"

#define HOME_TEXT_MAX 256

struct home {
    char folder[HOME_TEXT_MAX];
    char gateway[HOME_TEXT_MAX]; // "http://127.0.0.1:17000"
    char tenant[64];
    char handle[64];
    char user_id[40], tenant_id[40], device_id[40];
    char refresh_token[HOME_TEXT_MAX];
};

// Finds the folder, makes it when it is not there (mode 0700). Prints what is wrong.
MUST_USE enum result home_open(struct home *h);
// NOT_FOUND: nobody logged in here.
MUST_USE enum result home_load(struct home *h);
// Replaces the file in one step. Prints what is wrong.
MUST_USE enum result home_save(const struct home *h);
// Path of a file in the folder.
struct home_path {
    char text[HOME_TEXT_MAX + 64];
} home_path_of(const struct home *h, const char *file);
