// SPDX-License-Identifier: Apache-2.0
#include "xmpp/translate.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "xmpp/names.h"

#define FOREIGN_ID_PLAIN_MAX 128u // longer stanza ids are hashed
#define FOREIGN_ID_HASHED "h:"
#define HASH_BYTES 16u        // of the key, in hexadecimal
#define FOREIGN_ID_NUMBER '~' // "<base>~2" is the second message under that id

static enum message_type type_of(const struct xml_element *e) {
    static const struct {
        const char *name;
        enum message_type type;
    } TYPES[] = {
        {"chat", MESSAGE_CHAT},
        {"groupchat", MESSAGE_GROUPCHAT},
        {"headline", MESSAGE_HEADLINE},
        {"error", MESSAGE_ERROR},
    };
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        if (xml_attr_is(e, "type", TYPES[i].name)) return TYPES[i].type;
    }
    return MESSAGE_NORMAL; // RFC 6121 5.2.2: also when it is not understood
}

// Of several in different languages, the one without a language, else the first.
static struct slice text_of(const struct xml_element *e, const char *name) {
    const struct xml_element *best = NULL;
    for (const struct xml_element *c = e->first_child; c; c = c->next) {
        if (!slice_equal(c->name, slice_str(name)) || !slice_equal(c->ns, e->ns)) continue;
        bool plain = c->attribute_count == 0;
        if (!best || plain) best = c;
        if (plain) break;
    }
    return best ? best->text : slice_of("", 0);
}

static void read_mark(const struct xml_element *e, struct message *m) {
    static const struct {
        const char *ns, *name;
        enum mark mark;
    } MARKS[] = {
        {NS_MARKERS, "displayed", MARK_READ},
        {NS_MARKERS, "acknowledged", MARK_READ},
        {NS_RECEIPTS, "received", MARK_DELIVERED},
        {NS_MARKERS, "received", MARK_DELIVERED},
    };
    for (size_t i = 0; i < COUNT_OF(MARKS) && m->mark == MARK_NONE; i++) {
        const struct xml_element *c = xml_child(e, MARKS[i].ns, MARKS[i].name);
        if (!c) continue;
        m->mark_id = xml_attr(c, "id");
        if (m->mark_id.len > 0) m->mark = MARKS[i].mark;
    }
}

static enum chat_state chat_state_of(const struct xml_element *e) {
    static const struct {
        const char *name;
        enum chat_state state;
    } STATES[] = {
        {"composing", CHAT_STATE_TYPING}, {"active", CHAT_STATE_IDLE}, {"paused", CHAT_STATE_IDLE},
        {"inactive", CHAT_STATE_IDLE},    {"gone", CHAT_STATE_IDLE},
    };
    for (size_t i = 0; i < COUNT_OF(STATES); i++) {
        if (xml_child(e, NS_CHAT_STATES, STATES[i].name)) return STATES[i].state;
    }
    return CHAT_STATE_NONE;
}

static struct slice condition_of(const struct xml_element *e) {
    const struct xml_element *error = xml_child(e, NULL, "error");
    for (const struct xml_element *c = error ? error->first_child : NULL; c; c = c->next) {
        bool text = slice_equal(c->name, slice_str("text"));
        if (slice_equal(c->ns, slice_str(NS_STANZAS)) && !text) return c->name;
    }
    return slice_of("", 0);
}

static struct slice id_of(const struct xml_element *e) {
    const struct xml_element *origin = xml_child(e, NS_SID, "origin-id");
    struct slice id = xml_attr(e, "id");
    if (id.len == 0 && origin) id = xml_attr(origin, "id");
    return id.len <= MESSAGE_ID_MAX ? id : slice_of("", 0);
}

enum result translate_message(const struct xml_element *e, struct message *out) {
    PRE(e && out);
    bool known =
        slice_equal(e->ns, slice_str(NS_COMPONENT)) || slice_equal(e->ns, slice_str(NS_CLIENT));
    if (!known || !slice_equal(e->name, slice_str("message"))) return INVALID;
    struct message m = {.type = type_of(e), .mark_id = slice_of("", 0)};
    m.from = xml_attr(e, "from");
    m.to = xml_attr(e, "to");
    if (m.from.len == 0) return INVALID;
    m.id = id_of(e);
    m.subject = text_of(e, "subject");
    m.body = text_of(e, "body");
    m.asks_receipt = xml_child(e, NS_RECEIPTS, "request") != NULL;
    m.markable = xml_child(e, NS_MARKERS, "markable") != NULL;
    m.chat_state = chat_state_of(e);
    m.delayed = xml_child(e, NS_DELAY, "delay") != NULL;
    m.condition = m.type == MESSAGE_ERROR ? condition_of(e) : slice_of("", 0);
    if (m.type != MESSAGE_ERROR) read_mark(e, &m);
    *out = m;
    return OK;
}

struct sha256 message_key(const struct message *m, const struct bare_jid *from,
                          const struct bare_jid *to) {
    // NUL parts what cannot hold a NUL.
    AUTO(buf) struct buf b = buf_init(m->id.len + m->subject.len + m->body.len + 2048);
    buf_append(&b, slice_of(from->text, strlen(from->text) + 1));
    buf_append(&b, slice_of(to->text, strlen(to->text) + 1));
    buf_append(&b, m->id);
    buf_append_byte(&b, 0);
    buf_append(&b, m->subject);
    buf_append_byte(&b, 0);
    buf_append(&b, m->body);
    PRE(!b.failed);
    return sha256_of(buf_slice(&b));
}

static bool plain_id(struct slice id) {
    if (id.len == 0 || id.len > FOREIGN_ID_PLAIN_MAX || !text_valid_utf8(id)) return false;
    if (memchr(id.data, FOREIGN_ID_NUMBER, id.len)) return false;
    return !slice_starts_with(id, slice_str(FOREIGN_ID_HASHED));
}

struct foreign_id foreign_id_base(const struct message *m, const struct sha256 *key) {
    struct foreign_id out = {0};
    if (plain_id(m->id)) {
        memcpy(out.text, m->id.data, m->id.len);
        return out;
    }
    int len = snprintf(out.text, sizeof out.text, FOREIGN_ID_HASHED);
    for (size_t i = 0; i < HASH_BYTES; i++) {
        snprintf(out.text + len + 2 * i, sizeof "xx", "%02x", key->bytes[i]);
    }
    return out;
}
