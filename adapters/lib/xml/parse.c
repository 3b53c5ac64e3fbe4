// SPDX-License-Identifier: Apache-2.0
// One element as a whole document: a stream of one stanza.
#include "xml/reader.h"

struct taker {
    struct arena *arena;
    struct xml_element *found;
    unsigned stanzas;
};

static void ignore_open(void *arg, const struct xml_element *root) {
    (void) arg, (void) root;
}

static void ignore_close(void *arg) {
    (void) arg;
}

// Above the limits: not found.
static void ignore_skipped(void *arg, const struct xml_element *head) {
    (void) arg, (void) head;
}

static void take(void *arg, const struct xml_element *stanza) {
    struct taker *t = arg;
    if (t->stanzas++ == 0) t->found = xml_copy(t->arena, stanza);
}

enum result xml_parse(struct slice text, const struct xml_limits *limits, struct arena *a,
                      const struct xml_element **out) {
    struct taker t = {.arena = a};
    struct xml_handler handler = {.on_open = ignore_open,
                                  .on_stanza = take,
                                  .on_skipped = ignore_skipped,
                                  .on_close = ignore_close};
    struct xml_reader *r = xml_reader_new(limits, &handler, &t);
    bool good = xml_reader_feed(r, slice_str("<x>")) == OK && xml_reader_feed(r, text) == OK &&
                t.stanzas == 1 && xml_reader_feed(r, slice_str("</x>")) == OK && t.stanzas == 1;
    xml_reader_free(r);
    if (!good) return INVALID;
    if (!t.found) return BUSY;
    *out = t.found;
    return OK;
}
