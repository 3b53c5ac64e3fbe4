// SPDX-License-Identifier: Apache-2.0
#include "xmpp/answer.h"

#include "xml/writer.h"
#include "xmpp/jid.h"
#include "xmpp/names.h"
#include "xmpp/stanza.h"

typedef void answer_fn(struct xml_writer *w, const struct xml_element *iq,
                       const struct answer_facts *facts);

static void put_identity(struct xml_writer *w, const char *category, const char *type,
                         const char *name) {
    xml_open(w, "identity");
    xml_put_attr(w, "category", slice_str(category));
    xml_put_attr(w, "type", slice_str(type));
    xml_put_attr(w, "name", slice_str(name));
    xml_close(w, "identity");
}

static bool to_domain(const struct xml_element *iq) {
    struct jid to;
    return jid_parse(xml_attr(iq, "to"), &to) == OK && to.local.len == 0;
}

static void put_info(struct xml_writer *w, const struct xml_element *iq,
                     const struct answer_facts *facts) {
    static const char *const FEATURES[] = {NS_DISCO_INFO, NS_DISCO_ITEMS, NS_PING,
                                           NS_VERSION,    NS_VCARD,       NS_RECEIPTS,
                                           NS_MARKERS,    NS_CHAT_STATES, NS_SID};
    xml_open(w, "query");
    xml_put_attr(w, "xmlns", slice_str(NS_DISCO_INFO));
    if (to_domain(iq)) {
        put_identity(w, "gateway", "xmpp", "Causeway");
    } else {
        put_identity(w, "account", "registered", facts->display_name);
    }
    for (size_t i = 0; i < COUNT_OF(FEATURES); i++) {
        xml_open(w, "feature");
        xml_put_attr(w, "var", slice_str(FEATURES[i]));
        xml_close(w, "feature");
    }
    xml_close(w, "query");
}

static void put_items(struct xml_writer *w, const struct xml_element *iq,
                      const struct answer_facts *facts) {
    (void) iq, (void) facts;
    xml_put_empty(w, "query", NS_DISCO_ITEMS);
}

static void put_nothing(struct xml_writer *w, const struct xml_element *iq,
                        const struct answer_facts *facts) {
    (void) w, (void) iq, (void) facts;
}

static void put_version(struct xml_writer *w, const struct xml_element *iq,
                        const struct answer_facts *facts) {
    (void) iq, (void) facts;
    xml_open(w, "query");
    xml_put_attr(w, "xmlns", slice_str(NS_VERSION));
    xml_put_simple(w, "name", slice_str("Causeway"));
    xml_put_simple(w, "version", slice_str(CAUSEWAY_VERSION));
    xml_close(w, "query");
}

static void put_vcard(struct xml_writer *w, const struct xml_element *iq,
                      const struct answer_facts *facts) {
    const char *name = to_domain(iq) ? "Causeway" : facts->display_name;
    xml_open(w, "vCard");
    xml_put_attr(w, "xmlns", slice_str(NS_VCARD));
    xml_put_simple(w, "FN", slice_str(name));
    xml_put_simple(w, "NICKNAME", slice_str(name));
    xml_close(w, "vCard");
}

static const struct question {
    const char *ns, *name;
    answer_fn *put;
    bool of_person; // asks about the addressee where that is one
} QUESTIONS[] = {
    {NS_PING, "ping", put_nothing, false},       {NS_DISCO_INFO, "query", put_info, true},
    {NS_DISCO_ITEMS, "query", put_items, false}, {NS_VERSION, "query", put_version, false},
    {NS_VCARD, "vCard", put_vcard, true},
};

static const struct question *find(const struct xml_element *iq) {
    if (!xml_attr_is(iq, "type", "get") || !iq->first_child) return NULL;
    for (size_t i = 0; i < COUNT_OF(QUESTIONS); i++) {
        if (xml_is(iq->first_child, QUESTIONS[i].ns, QUESTIONS[i].name)) return &QUESTIONS[i];
    }
    return NULL;
}

bool answer_needs_person(const struct xml_element *iq) {
    const struct question *q = find(iq);
    return q && q->of_person && !to_domain(iq);
}

static void refuse(struct buf *out, const struct xml_element *iq, const char *condition) {
    const struct stanza_error error = {"cancel", condition, NULL};
    stanza_error(out, "iq", xml_attr(iq, "to"), xml_attr(iq, "from"), xml_attr(iq, "id"), &error);
}

void answer_iq(struct buf *out, const struct xml_element *iq, const struct answer_facts *facts) {
    const struct question *q = find(iq);
    if (!q) {
        refuse(out, iq, "service-unavailable");
        return;
    }
    if (answer_needs_person(iq) && !facts->display_name) {
        refuse(out, iq, "item-not-found");
        return;
    }
    struct xml_writer w = xml_writer_init(out);
    xml_open(&w, "iq");
    xml_put_attr(&w, "from", xml_attr(iq, "to"));
    xml_put_attr(&w, "to", xml_attr(iq, "from"));
    xml_put_attr(&w, "type", slice_str("result"));
    xml_put_attr(&w, "id", xml_attr(iq, "id"));
    q->put(&w, iq, facts);
    xml_close(&w, "iq");
}
