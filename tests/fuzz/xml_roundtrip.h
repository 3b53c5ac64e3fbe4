// SPDX-License-Identifier: Apache-2.0
// Writes a tree that was read, so that it can be read again and compared.
#pragma once

#include "base/arena.h"
#include "xml/element.h"
#include "xml/writer.h"

static inline void tree_put_attribute(struct xml_writer *w, const struct xml_attribute *a, size_t i,
                                      struct arena *names) {
    static const char XML_NS[] = "http://www.w3.org/XML/1998/namespace";
    const char *name = arena_strndup(names, a->name);
    if (a->ns.len == 0) {
        xml_put_attr(w, name, a->value);
    } else if (slice_equal(a->ns, slice_str(XML_NS))) {
        xml_put_attr(w, arena_printf(names, "xml:%s", name), a->value);
    } else {
        xml_put_attr(w, arena_printf(names, "xmlns:a%zu", i), a->ns);
        xml_put_attr(w, arena_printf(names, "a%zu:%s", i, name), a->value);
    }
}

static inline void tree_put(struct xml_writer *w, const struct xml_element *e,
                            struct arena *names) {
    const char *name = arena_strndup(names, e->name);
    xml_open(w, name);
    xml_put_attr(w, "xmlns", e->ns);
    for (size_t i = 0; i < e->attribute_count; i++) {
        tree_put_attribute(w, &e->attributes[i], i, names);
    }
    xml_put_text(w, e->text);
    for (const struct xml_element *c = e->first_child; c; c = c->next) tree_put(w, c, names);
    xml_close(w, name);
}
