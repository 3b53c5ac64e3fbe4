// SPDX-License-Identifier: Apache-2.0
// Limits in force, as configured. All of them are checked where they bite.
#pragma once

#include <stdint.h>

struct limits {
    uint32_t members_max;       // of one conversation
    uint32_t message_bytes_max; // one encoded Body
};

#define TITLE_BYTES_MAX 256
#define FOREIGN_ID_BYTES_MAX 1024
// Users asked for in one call of UserService.GetUsers.
#define PEOPLE_ASK_MAX 200
// Entries of one page (attachment, history).
#define PAGE_ENTRIES_MAX 200
// Bytes of encoded changes in one page; at least one entry travels in any case.
#define PAGE_BYTES_MAX (384u << 10)
