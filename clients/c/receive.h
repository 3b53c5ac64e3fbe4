// SPDX-License-Identifier: Apache-2.0
// What the server says.
#pragma once

#include "client/internal.h"

void receive_message(struct causeway_client *c, struct slice bytes);
