// SPDX-License-Identifier: Apache-2.0
#include "xmpp/stanza.h"

#include "causeway/model/v1/model.pb-c.h"
#include "xml/writer.h"
#include "xmpp/names.h"

static void open_stanza(struct xml_writer *w, const char *name, const char *from, const char *to,
                        const char *type) {
    PRE(from && to);
    xml_open(w, name);
    xml_put_attr(w, "from", slice_str(from));
    xml_put_attr(w, "to", slice_str(to));
    if (type) xml_put_attr(w, "type", slice_str(type));
}

static void put_with_id(struct xml_writer *w, const char *name, const char *ns, const char *id) {
    xml_open(w, name);
    xml_put_attr(w, "xmlns", slice_str(ns));
    xml_put_attr(w, "id", slice_str(id));
    xml_close(w, name);
}

void stanza_text(struct buf *out, const struct text_message *m) {
    struct xml_writer w = xml_writer_init(out);
    open_stanza(&w, "message", m->from, m->to, "chat");
    xml_put_attr(&w, "id", slice_str(m->id));
    xml_put_simple(&w, "body", m->body);
    xml_put_empty(&w, "request", NS_RECEIPTS);
    xml_put_empty(&w, "markable", NS_MARKERS);
    put_with_id(&w, "origin-id", NS_SID, m->id);
    xml_close(&w, "message");
}

void stanza_receipt(struct buf *out, const char *from, const char *to, const char *id) {
    struct xml_writer w = xml_writer_init(out);
    open_stanza(&w, "message", from, to, "chat");
    put_with_id(&w, "received", NS_RECEIPTS, id);
    xml_put_empty(&w, "store", NS_HINTS);
    xml_close(&w, "message");
}

void stanza_marker(struct buf *out, const char *from, const char *to, enum mark mark,
                   const char *id) {
    PRE(mark != MARK_NONE);
    struct xml_writer w = xml_writer_init(out);
    open_stanza(&w, "message", from, to, "chat");
    put_with_id(&w, mark == MARK_READ ? "displayed" : "received", NS_MARKERS, id);
    xml_put_empty(&w, "store", NS_HINTS);
    xml_close(&w, "message");
}

void stanza_typing(struct buf *out, const char *from, const char *to, bool typing) {
    struct xml_writer w = xml_writer_init(out);
    open_stanza(&w, "message", from, to, "chat");
    xml_put_empty(&w, typing ? "composing" : "paused", NS_CHAT_STATES);
    xml_put_empty(&w, "no-store", NS_HINTS);
    xml_close(&w, "message");
}

void stanza_presence(struct buf *out, const char *from, const char *to, const char *type) {
    struct xml_writer w = xml_writer_init(out);
    open_stanza(&w, "presence", from, to, type);
    xml_close(&w, "presence");
}

void stanza_ping(struct buf *out, const char *from, const char *to, const char *id) {
    struct xml_writer w = xml_writer_init(out);
    open_stanza(&w, "iq", from, to, "get");
    xml_put_attr(&w, "id", slice_str(id));
    xml_put_empty(&w, "ping", NS_PING);
    xml_close(&w, "iq");
}

void stanza_error(struct buf *out, const char *name, struct slice from, struct slice to,
                  struct slice id, const struct stanza_error *error) {
    PRE(name && error->type && error->condition);
    struct xml_writer w = xml_writer_init(out);
    xml_open(&w, name);
    xml_put_attr(&w, "from", from);
    xml_put_attr(&w, "to", to);
    xml_put_attr(&w, "type", slice_str("error"));
    if (id.len > 0) xml_put_attr(&w, "id", id);
    xml_open(&w, "error");
    xml_put_attr(&w, "type", slice_str(error->type));
    xml_put_empty(&w, error->condition, NS_STANZAS);
    if (error->text) {
        xml_open(&w, "text");
        xml_put_attr(&w, "xmlns", slice_str(NS_STANZAS));
        xml_put_text(&w, slice_str(error->text));
        xml_close(&w, "text");
    }
    xml_close(&w, "error");
    xml_close(&w, name);
}

#define ERR(name) PB__ERROR_CODE__ERROR_CODE_##name

struct stanza_error stanza_error_of(int error_code) {
    static const struct {
        int code;
        struct stanza_error error;
    } ERRORS[] = {
        {ERR(INVALID_TEXT), {"modify", "not-acceptable", "The text cannot be shown"}},
        {ERR(EMPTY_MESSAGE), {"modify", "not-acceptable", "The message is empty"}},
        {ERR(INVALID_ARGUMENT), {"modify", "bad-request", NULL}},
        {ERR(BAD_MESSAGE), {"modify", "bad-request", NULL}},
        {ERR(TOO_LARGE), {"modify", "policy-violation", "The message is too large"}},
        {ERR(LIMIT_EXCEEDED), {"wait", "resource-constraint", "A limit is reached"}},
        {ERR(RATE_LIMITED), {"wait", "resource-constraint", "Too many messages"}},
        {ERR(OVERLOADED), {"wait", "resource-constraint", NULL}},
        {ERR(STORAGE_FULL), {"wait", "resource-constraint", NULL}},
        {ERR(NOT_FOUND), {"cancel", "item-not-found", NULL}},
        {ERR(FORBIDDEN), {"auth", "forbidden", NULL}},
        {ERR(FORBIDDEN_OP), {"cancel", "not-allowed", NULL}},
        {ERR(ID_REUSED), {"modify", "conflict", "This id was used for another message"}},
        {ERR(UNIMPLEMENTED), {"cancel", "feature-not-implemented", NULL}},
    };
    for (size_t i = 0; i < COUNT_OF(ERRORS); i++) {
        if (ERRORS[i].code == error_code) return ERRORS[i].error;
    }
    return (struct stanza_error){"cancel", "internal-server-error", NULL};
}
