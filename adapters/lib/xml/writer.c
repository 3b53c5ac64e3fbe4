// SPDX-License-Identifier: Apache-2.0
#include "xml/writer.h"

static const char REPLACEMENT[] = "\xEF\xBF\xBD"; // U+FFFD

struct xml_writer xml_writer_init(struct buf *out) {
    PRE(out);
    return (struct xml_writer){.out = out};
}

// Length of the UTF-8 sequence at s by its first byte; 0: none can begin so.
static size_t sequence_len(uint8_t first) {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first >= 0xE0 && first <= 0xEF) return 3;
    if (first >= 0xF0 && first <= 0xF4) return 4;
    return 0;
}

static uint32_t decode(const uint8_t *s, size_t n) {
    if (n == 1) return s[0];
    uint32_t code = s[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) code = code << 6 | (s[i] & 0x3Fu);
    return code;
}

static bool continues(const uint8_t *s, size_t n) {
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) return false;
    }
    return true;
}

// Production [2] of XML 1.0, without overlong forms.
static bool allowed(uint32_t code, size_t n) {
    static const uint32_t FIRST[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < FIRST[n]) return false;
    if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
    if (code >= 0xD800 && code <= 0xDFFF) return false;
    return code <= 0x10FFFF && code != 0xFFFE && code != 0xFFFF;
}

// How many bytes of s are one character that XML can hold; 0: none.
static size_t character(struct slice s) {
    size_t n = sequence_len(s.data[0]);
    if (n == 0 || n > s.len || !continues(s.data, n)) return 0;
    return allowed(decode(s.data, n), n) ? n : 0;
}

// A line end inside an attribute, and a carriage return anywhere, would be normalised by the
// reader.
static const char *escape_of(uint8_t c, bool attribute) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\'':
        return "&apos;";
    case '"':
        return "&quot;";
    case '\r':
        return "&#13;";
    case '\n':
        return attribute ? "&#10;" : NULL;
    case '\t':
        return attribute ? "&#9;" : NULL;
    default:
        return NULL;
    }
}

static void put_escaped(struct buf *out, struct slice s, bool attribute) {
    size_t plain = 0; // s[plain..i) needs no escape
    for (size_t i = 0; i < s.len;) {
        size_t n = character(slice_of(s.data + i, s.len - i));
        const char *instead = n == 0 ? REPLACEMENT : escape_of(s.data[i], attribute);
        if (instead) {
            buf_append(out, slice_of(s.data + plain, i - plain));
            buf_append_str(out, instead);
            plain = i + (n ? n : 1);
        }
        i += n ? n : 1;
    }
    buf_append(out, slice_of(s.data + plain, s.len - plain));
}

static void end_tag_open(struct xml_writer *w) {
    if (w->in_tag) buf_append_byte(w->out, '>');
    w->in_tag = false;
}

void xml_open(struct xml_writer *w, const char *name) {
    PRE(name && name[0]);
    end_tag_open(w);
    buf_append_byte(w->out, '<');
    buf_append_str(w->out, name);
    w->in_tag = true;
    w->depth++;
}

void xml_put_attr(struct xml_writer *w, const char *name, struct slice value) {
    PRE(w->in_tag && name);
    buf_append_byte(w->out, ' ');
    buf_append_str(w->out, name);
    buf_append_str(w->out, "='");
    put_escaped(w->out, value, true);
    buf_append_byte(w->out, '\'');
}

void xml_put_text(struct xml_writer *w, struct slice text) {
    PRE(w->depth > 0);
    if (text.len == 0) return;
    end_tag_open(w);
    put_escaped(w->out, text, false);
}

void xml_close(struct xml_writer *w, const char *name) {
    PRE(w->depth > 0 && name);
    w->depth--;
    if (w->in_tag) {
        buf_append_str(w->out, "/>");
        w->in_tag = false;
        return;
    }
    buf_append_str(w->out, "</");
    buf_append_str(w->out, name);
    buf_append_byte(w->out, '>');
}

void xml_put_empty(struct xml_writer *w, const char *name, const char *ns) {
    PRE(ns);
    xml_open(w, name);
    xml_put_attr(w, "xmlns", slice_str(ns));
    xml_close(w, name);
}

void xml_put_simple(struct xml_writer *w, const char *name, struct slice text) {
    xml_open(w, name);
    xml_put_text(w, text);
    xml_close(w, name);
}
