// SPDX-License-Identifier: Apache-2.0
// The life of a client's connection, see enum causeway_state.
//
//   idle --start--> connecting --opened--> greeting --welcome--> ready
//    ^  ^               |                     |                    |
//    |  '--stop--- (any state)                |                    |
//    |                  '------- closed, silence, timeout ---------'
//    |                                        |
//    |        .----------- waiting <----------+--> no_token --token--> connecting
//    |        '--deadline--> connecting       '--> ended --start--> connecting
#pragma once

#include "client/internal.h"

void link_start(struct causeway_client *c);
void link_stop(struct causeway_client *c);
void link_token(struct causeway_client *c, struct slice token);
void link_opened(struct causeway_client *c);
// The websocket is gone, or never came to be.
void link_closed(struct causeway_client *c, uint16_t code);
void link_welcomed(struct causeway_client *c);
void link_drain(struct causeway_client *c, uint32_t window_ms);
// Something was heard from the server.
void link_heard(struct causeway_client *c);
// A copy of a command was answered.
void link_answered(struct causeway_client *c);
void link_timer(struct causeway_client *c);
