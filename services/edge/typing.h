// SPDX-License-Identifier: Apache-2.0
// "Is writing": passed on, never stored, cut down to what people can see.
#pragma once

#include "edge/internal.h"

void typing_take(struct session *s, const Pb__Typing *typing);
void typing_heard(struct edge *e, const Pb__TypingSignal *signal);
