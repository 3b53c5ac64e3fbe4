// SPDX-License-Identifier: Apache-2.0
// An XML element tree. All parts live in the arena it was read into; nothing points to the input.
#pragma once

#include "base/arena.h"
#include "base/slice.h"

struct xml_attribute {
    struct slice ns; // empty: none
    struct slice name;
    struct slice value;
};

struct xml_element {
    struct slice ns; // resolved namespace URI; empty: none
    struct slice name;
    const struct xml_attribute *attributes;
    size_t attribute_count;
    struct slice text; // its own character data, joined; not that of its children
    struct xml_element *first_child, *last_child, *next;
};

bool xml_is(const struct xml_element *e, const char *ns, const char *name);
// First child of that name; ns NULL: in the same namespace as e. NULL when there is none.
const struct xml_element *xml_child(const struct xml_element *e, const char *ns, const char *name);
// Value of an attribute without namespace; empty when absent.
struct slice xml_attr(const struct xml_element *e, const char *name);
bool xml_has_attr(const struct xml_element *e, const char *name);
// Whether the attribute is there and equals value.
bool xml_attr_is(const struct xml_element *e, const char *name, const char *value);
// Equal in names, attributes (in order), text and children.
bool xml_equal(const struct xml_element *a, const struct xml_element *b);
// A deep copy. NULL: the arena is full.
struct xml_element *xml_copy(struct arena *a, const struct xml_element *e);
