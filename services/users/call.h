// SPDX-License-Identifier: Apache-2.0
// What all methods do with a call.
#pragma once

#include "causeway/model/v1/model.pb-c.h"
#include "service/rpc.h"

#define CODE(name) PB__ERROR_CODE__ERROR_CODE_##name
#define PLATFORM(name) PB__PLATFORM__PLATFORM_##name

// The tenant of the person, else the one that the calling service named. false: there is none, the
// call was failed.
bool call_tenant(struct rpc *call, struct uuid *out);
// Fails the call for a result other than OK (of sending a statement or of reading its answer).
// Returns whether it was OK.
bool call_goes_on(struct rpc *call, enum result result);
