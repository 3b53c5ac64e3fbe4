// SPDX-License-Identifier: Apache-2.0
// What a stanza of company B means in our model. Pure: a table of what is understood, and
// everything else is named so that it can be counted or refused.
#pragma once

#include "crypto/hash.h"
#include "xml/element.h"
#include "xmpp/jid.h"

enum message_type {
    MESSAGE_NORMAL,
    MESSAGE_CHAT,
    MESSAGE_GROUPCHAT,
    MESSAGE_HEADLINE,
    MESSAGE_ERROR
};
enum mark { MARK_NONE, MARK_DELIVERED, MARK_READ, MARK_FAILED };
enum chat_state { CHAT_STATE_NONE, CHAT_STATE_TYPING, CHAT_STATE_IDLE };

// Borrows from the element.
// A stanza id longer than this is taken for none.
#define MESSAGE_ID_MAX 1024

struct message {
    enum message_type type;
    struct slice from;    // full JID as it came
    struct slice to;      // as it came
    struct slice id;      // stanza id, else origin-id; empty: none
    struct slice subject; // empty: none
    struct slice body;    // empty: says nothing
    bool asks_receipt;    // XEP-0184 request
    bool markable;        // XEP-0333
    enum mark mark;       // what this stanza says about a message of ours
    struct slice mark_id; // which one
    enum chat_state chat_state;
    bool delayed;           // XEP-0203: it waited somewhere
    struct slice condition; // MESSAGE_ERROR: the condition's name; may be empty
};

// INVALID: no message, or no sender.
MUST_USE enum result translate_message(const struct xml_element *e, struct message *out);

// How the archive and the live stream agree on a message: who, to whom, which id, what.
// from, to: bare. sender's resource is not part of it.
struct sha256 message_key(const struct message *m, const struct bare_jid *from,
                          const struct bare_jid *to);

#define FOREIGN_ID_MAX 160

struct foreign_id {
    char text[FOREIGN_ID_MAX + 1];
};

// The name of a message among all of its sender in one conversation, without the number that tells
// apart those that reuse an id: the stanza id, or a hash where there is none, or one too long, or
// one that looks like a name made here.
struct foreign_id foreign_id_base(const struct message *m, const struct sha256 *key);
