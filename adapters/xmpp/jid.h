// SPDX-License-Identifier: Apache-2.0
// XMPP addresses (RFC 7622), as far as a component needs them: the server behind it has prepared
// them already, so only the case of ASCII letters is folded here.
#pragma once

#include "base/result.h"
#include "base/slice.h"

#define JID_BARE_MAX 383 // bytes of local@domain: what B's database holds, twice
#define JID_FULL_MAX 1407

struct jid {
    struct slice local, domain, resource; // local and resource may be empty
};

struct bare_jid {
    char text[JID_BARE_MAX + 1];
};

// INVALID: empty or too long parts, or characters no address has. Borrows from text.
MUST_USE enum result jid_parse(struct slice text, struct jid *out);
// local@domain in lower case. INVALID as jid_parse, or longer than JID_BARE_MAX.
MUST_USE enum result jid_bare(struct slice text, struct bare_jid *out);
// Same without case.
bool jid_domain_is(const struct jid *j, const char *domain);
