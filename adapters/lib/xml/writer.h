// SPDX-License-Identifier: Apache-2.0
// Writes XML into a buffer. Everything given as text or value is escaped, and what XML cannot hold
// (control characters, U+FFFE, U+FFFF, bytes that are no UTF-8) becomes U+FFFD: nothing that people
// write can break the stream. Errors stick in the buffer.
#pragma once

#include "base/buf.h"
#include "base/slice.h"

struct xml_writer {
    struct buf *out;
    bool in_tag; // the start tag is still open for attributes
    unsigned depth;
};

struct xml_writer xml_writer_init(struct buf *out);

// name is fixed text of ours.
void xml_open(struct xml_writer *w, const char *name);
// Only right after xml_open or xml_put_attr.
void xml_put_attr(struct xml_writer *w, const char *name, struct slice value);
void xml_put_text(struct xml_writer *w, struct slice text);
// Closes the element that xml_open(name) opened.
void xml_close(struct xml_writer *w, const char *name);
// <name xmlns='ns'/>
void xml_put_empty(struct xml_writer *w, const char *name, const char *ns);
// <name>text</name>
void xml_put_simple(struct xml_writer *w, const char *name, struct slice text);
