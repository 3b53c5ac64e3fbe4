// SPDX-License-Identifier: Apache-2.0
// Words from elsewhere on a terminal.
#pragma once

#include <stdio.h>

#include "causeway/model/v1/model.pb-c.h"

// One line for an entry: time, who, what. name is who sent it; nothing for entries without words.
void screen_entry(FILE *out, const Pb__Entry *entry, const char *name);
// Text as it may stand on a terminal: control characters, and with them escape sequences, become
// '?'.
void screen_text(FILE *out, const char *text);
