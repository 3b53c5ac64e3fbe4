// SPDX-License-Identifier: Apache-2.0
// Streaming reader of hostile XML (RFC 6120 section 11): UTF-8 only, no DTD, no entities but the
// five predefined ones, no comments, no processing instructions; depth, attributes and bytes of a
// stanza are limited. A stanza above the limits is skipped, not fatal: one sender must not end the
// stream of all others. Memory does not grow with the age of the stream.
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"
#include "xml/element.h"

#define XML_DEPTH_MAX 64

struct xml_limits {
    uint32_t depth_max;        // of a stanza's tree, the stanza being 1; at most XML_DEPTH_MAX
    uint32_t attributes_max;   // per element, namespace declarations not counted
    uint32_t stanza_bytes_max; // from the end of the stanza before
};

// A stanza this many times larger ends the stream: no memory is spent on skipping it.
#define XML_SKIP_FACTOR 16

// Elements are valid inside the call only. The reader must not be freed in a callback.
struct xml_handler {
    void (*on_open)(void *arg, const struct xml_element *root); // the stream's own start tag
    void (*on_stanza)(void *arg, const struct xml_element *stanza);
    // Above the limits; only its own start tag was kept, not all attributes for sure.
    void (*on_skipped)(void *arg, const struct xml_element *head);
    void (*on_close)(void *arg); // the stream's end tag
};

struct xml_reader;

struct xml_reader *xml_reader_new(const struct xml_limits *limits,
                                  const struct xml_handler *handler, void *arg);
void xml_reader_free(struct xml_reader *r);

// Bytes as they come, in pieces of any size. INVALID: not allowed or too much, see
// xml_reader_error; every later call answers the same.
MUST_USE enum result xml_reader_feed(struct xml_reader *r, struct slice bytes);
// The stream error condition of RFC 6120 4.9.3, e.g. "restricted-xml"; NULL: none.
const char *xml_reader_error(const struct xml_reader *r);

// One whole element. INVALID: anything else, or above the limits; BUSY: arena full.
MUST_USE enum result xml_parse(struct slice text, const struct xml_limits *limits, struct arena *a,
                               const struct xml_element **out);
