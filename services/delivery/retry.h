// SPDX-License-Identifier: Apache-2.0
// The retry set in Redis: (conversation, device) pairs whose device is attached and has not
// acknowledged for a while, by the time they are due (retry:<shard>, a sorted set of
// "<conversation_id>:<device_id>" by unix ms). A due pair is taken out by whoever removes it first,
// and its entries after the cursor are sent again to the device's node. Hints only: what Redis
// loses comes back from the cursors of attached devices, at each connection to Redis and by itself.
#pragma once

#include "delivery/app.h"

struct retry *retry_new(struct app *a);
void retry_free(struct retry *r);
// A device's cursor row is at delivered_seq.
void retry_acked(struct retry *r, struct uuid conversation_id, struct uuid device_id,
                 int64_t delivered_seq);
