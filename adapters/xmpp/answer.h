// SPDX-License-Identifier: Apache-2.0
// Answers to questions (iq) of B's clients and server. Pure.
#pragma once

#include "base/buf.h"
#include "xml/element.h"

struct answer_facts {
    const char *domain;       // ours
    const char *display_name; // of the addressee; NULL: no such person, or the domain itself
};

// Whether answering needs the addressee's name.
bool answer_needs_person(const struct xml_element *iq);
// Appends the answer to an iq of type get or set; what is not understood gets service-unavailable.
void answer_iq(struct buf *out, const struct xml_element *iq, const struct answer_facts *facts);
