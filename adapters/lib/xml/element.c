// SPDX-License-Identifier: Apache-2.0
#include "xml/element.h"

#include "base/result.h"

bool xml_is(const struct xml_element *e, const char *ns, const char *name) {
    PRE(e && name);
    if (!slice_equal(e->name, slice_str(name))) return false;
    return slice_equal(e->ns, slice_str(ns));
}

const struct xml_element *xml_child(const struct xml_element *e, const char *ns, const char *name) {
    PRE(e && name);
    struct slice wanted = ns ? slice_str(ns) : e->ns;
    for (const struct xml_element *c = e->first_child; c; c = c->next) {
        if (slice_equal(c->name, slice_str(name)) && slice_equal(c->ns, wanted)) return c;
    }
    return NULL;
}

static const struct xml_attribute *find(const struct xml_element *e, const char *name) {
    PRE(e && name);
    for (size_t i = 0; i < e->attribute_count; i++) {
        const struct xml_attribute *a = &e->attributes[i];
        if (a->ns.len == 0 && slice_equal(a->name, slice_str(name))) return a;
    }
    return NULL;
}

struct slice xml_attr(const struct xml_element *e, const char *name) {
    const struct xml_attribute *a = find(e, name);
    return a ? a->value : slice_of("", 0);
}

bool xml_has_attr(const struct xml_element *e, const char *name) {
    return find(e, name) != NULL;
}

bool xml_attr_is(const struct xml_element *e, const char *name, const char *value) {
    const struct xml_attribute *a = find(e, name);
    return a && slice_equal(a->value, slice_str(value));
}

static bool same_attributes(const struct xml_element *a, const struct xml_element *b) {
    if (a->attribute_count != b->attribute_count) return false;
    for (size_t i = 0; i < a->attribute_count; i++) {
        const struct xml_attribute *x = &a->attributes[i], *y = &b->attributes[i];
        if (!slice_equal(x->ns, y->ns) || !slice_equal(x->name, y->name)) return false;
        if (!slice_equal(x->value, y->value)) return false;
    }
    return true;
}

bool xml_equal(const struct xml_element *a, const struct xml_element *b) {
    PRE(a && b);
    if (!slice_equal(a->ns, b->ns) || !slice_equal(a->name, b->name)) return false;
    if (!slice_equal(a->text, b->text) || !same_attributes(a, b)) return false;
    const struct xml_element *x = a->first_child, *y = b->first_child;
    for (; x && y; x = x->next, y = y->next) {
        if (!xml_equal(x, y)) return false;
    }
    return !x && !y;
}

static bool copy_attributes(struct arena *a, const struct xml_element *e, struct xml_element *out) {
    if (e->attribute_count == 0) return true;
    struct xml_attribute *list = arena_alloc(a, e->attribute_count * sizeof *list);
    if (!list) return false;
    for (size_t i = 0; i < e->attribute_count; i++) {
        list[i].ns = arena_copy(a, e->attributes[i].ns);
        list[i].name = arena_copy(a, e->attributes[i].name);
        list[i].value = arena_copy(a, e->attributes[i].value);
        if (!list[i].ns.data || !list[i].name.data || !list[i].value.data) return false;
    }
    out->attributes = list;
    out->attribute_count = e->attribute_count;
    return true;
}

struct xml_element *xml_copy(struct arena *a, const struct xml_element *e) {
    PRE(a && e);
    struct xml_element *out = arena_alloc(a, sizeof *out);
    if (!out || !copy_attributes(a, e, out)) return NULL;
    out->ns = arena_copy(a, e->ns);
    out->name = arena_copy(a, e->name);
    out->text = arena_copy(a, e->text);
    if (!out->ns.data || !out->name.data || !out->text.data) return NULL;
    for (const struct xml_element *c = e->first_child; c; c = c->next) {
        struct xml_element *child = xml_copy(a, c);
        if (!child) return NULL;
        if (out->last_child) out->last_child->next = child;
        if (!out->first_child) out->first_child = child;
        out->last_child = child;
    }
    return out;
}
