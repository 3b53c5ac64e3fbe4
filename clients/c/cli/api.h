// SPDX-License-Identifier: Apache-2.0
// Calls at the gateway, Connect unary with protobuf.
#pragma once

#include "base/arena.h"
#include "base/result.h"
#include "loop/loop.h"
#include "wire/pb.h"

struct api;

struct api *api_new(struct loop *l, const char *gateway);
void api_free(struct api *a);

// answer: on OK, valid inside the callback; else error has words for people.
typedef void api_done(void *arg, enum result result, const ProtobufCMessage *answer,
                      const char *error);
// token: of a person, or NULL. done runs exactly once: later, or with BUSY from inside this call
// (8 calls are open).
void api_call(struct api *a, const char *path, const char *token, const ProtobufCMessage *request,
              const ProtobufCMessageDescriptor *answer_type, api_done *done, void *arg);
// The same, turning the loop until the answer is there; it lives in the arena. Prints errors.
// NULL: failed.
const ProtobufCMessage *api_call_wait(struct api *a, const char *path, const char *token,
                                      const ProtobufCMessage *request,
                                      const ProtobufCMessageDescriptor *answer_type,
                                      struct arena *arena);
// GET path at the gateway; the body lives in the arena. Prints errors. Empty data: failed.
struct slice api_get_wait(struct api *a, const char *path, struct arena *arena);
