// SPDX-License-Identifier: Apache-2.0
// Hostile bytes into the streaming reader, in pieces of a size the input chooses. What is read as a
// stanza must survive being written and read again.
#include <stdlib.h>

#include "xml/reader.h"
#include "xml_roundtrip.h"

static const struct xml_limits LIMITS = {
    .depth_max = 16, .attributes_max = 16, .stanza_bytes_max = 8192};
static const struct xml_limits WIDE = {
    .depth_max = 16, .attributes_max = 32, .stanza_bytes_max = 1u << 22};

static void on_open(void *arg, const struct xml_element *root) {
    (void) arg;
    PRE(root->name.len > 0);
}

static void on_skipped(void *arg, const struct xml_element *head) {
    (void) arg;
    PRE(head->name.len > 0 && !head->first_child);
}

static void on_close(void *arg) {
    (void) arg;
}

static void on_stanza(void *arg, const struct xml_element *stanza) {
    (void) arg;
    AUTO(arena) struct arena names = arena_init(1u << 22), again = arena_init(1u << 24);
    AUTO(buf) struct buf text = buf_init(1u << 22);
    struct xml_writer w = xml_writer_init(&text);
    tree_put(&w, stanza, &names);
    const struct xml_element *copy = NULL;
    PRE(xml_parse(buf_slice(&text), &WIDE, &again, &copy) == OK);
    PRE(xml_equal(stanza, copy));
    arena_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    size_t piece = 1u + data[0];
    struct xml_handler handler = {
        .on_open = on_open, .on_stanza = on_stanza, .on_skipped = on_skipped, .on_close = on_close};
    struct xml_reader *r = xml_reader_new(&LIMITS, &handler, NULL);
    enum result result = OK;
    for (size_t at = 1; at < size && result == OK; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        result = xml_reader_feed(r, slice_of(data + at, n));
    }
    PRE((result == OK) == (xml_reader_error(r) == NULL));
    xml_reader_free(r);
    return 0;
}
