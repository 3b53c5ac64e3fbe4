// SPDX-License-Identifier: Apache-2.0
// The states of a session.
//
//   opened --Connect--> authenticating --token good--> ready --drain--> draining
//     |                       |                          |                  |
//     '-- 10 s, bad frames ---'--- token bad ------------'-- any close ----'--> closed
#pragma once

#include "edge/internal.h"

void session_enter(struct session *s, enum session_state state);
