// SPDX-License-Identifier: Apache-2.0
// How often a connection may do what.
#pragma once

#include "edge/internal.h"

// Whether one more is within per_second_max; a second's worth may come at once.
bool bucket_take(struct bucket *b, uint64_t now_us, uint32_t per_second_max);
// Whether a frame may be read; ends the connection (4010) when not.
bool limits_frame(struct session *s);
// Whether a command may go on. A client that does not listen is ended (4010).
bool limits_command(struct session *s);
