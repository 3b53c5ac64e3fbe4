// SPDX-License-Identifier: Apache-2.0
// The parser is suspended at the end of each stanza, so that callbacks run outside of it and so
// that it can be replaced there: expat remembers every name it ever saw, and a stream lives for
// months.
#include "xml/reader.h"

#include <expat.h>
#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"

#define FEED_BYTES 4096u               // per call of expat: bounds what is read past a limit
#define RENEW_BYTES (8u * 1024 * 1024) // parsed by one parser
#define NAMES_MAX 512u                 // bytes of a name with its namespace
#define HEADER_BYTES_MAX 4096u         // the stream's start tag
#define NS_SEPARATOR ' '               // cannot be part of a name or namespace

struct xml_reader {
    struct xml_limits limits;
    struct xml_handler handler;
    void *arg;
    XML_Parser parser;
    const char *error;
    struct arena arena; // the stanza being read
    struct xml_element *open[XML_DEPTH_MAX + 2];
    struct buf text[XML_DEPTH_MAX + 2];
    unsigned depth;      // open elements, the stream's own included
    bool opened, closed; // the stream's tags came
    bool have_stanza;    // suspended behind one
    bool skipping;       // the rest of the stanza is not kept
    bool renewing;       // a fresh parser reads the old header
    struct buf header;   // bytes up to the end of the stream's start tag
    size_t parsed;       // bytes given to this parser
    int64_t since;       // bytes since the end of the last stanza, blanks not counted
};

static void refuse(struct xml_reader *r, const char *condition) {
    if (!r->error) r->error = condition;
    XML_StopParser(r->parser, XML_FALSE);
}

static struct slice copy(struct xml_reader *r, const char *s, size_t len) {
    struct slice out = arena_copy(&r->arena, slice_of(s, len));
    if (out.data) return out;
    r->skipping = true;
    return slice_of("", 0);
}

// expat gives "namespace name" or "name".
static void split_name(struct xml_reader *r, const char *full, struct slice *ns,
                       struct slice *name) {
    size_t len = strlen(full);
    if (len > NAMES_MAX) r->skipping = true;
    const char *sep = memrchr(full, NS_SEPARATOR, len);
    *ns = sep ? copy(r, full, (size_t) (sep - full)) : slice_of("", 0);
    *name = sep ? copy(r, sep + 1, len - (size_t) (sep + 1 - full)) : copy(r, full, len);
}

static void read_attributes(struct xml_reader *r, struct xml_element *e, const char **attrs) {
    size_t n = 0;
    while (attrs[2 * n]) n++;
    if (n == 0) return;
    if (n > r->limits.attributes_max) {
        r->skipping = true;
        n = r->limits.attributes_max;
    }
    struct xml_attribute *list = arena_alloc(&r->arena, n * sizeof *list);
    if (!list) {
        r->skipping = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        split_name(r, attrs[2 * i], &list[i].ns, &list[i].name);
        list[i].value = copy(r, attrs[2 * i + 1], strlen(attrs[2 * i + 1]));
    }
    e->attributes = list;
    e->attribute_count = n;
}

static void link_child(struct xml_element *parent, struct xml_element *e) {
    if (parent->last_child) {
        parent->last_child->next = e;
    } else {
        parent->first_child = e;
    }
    parent->last_child = e;
}

static struct xml_element *read_element(struct xml_reader *r, const char *name,
                                        const char **attrs) {
    struct xml_element *e = arena_alloc(&r->arena, sizeof *e);
    if (!e) return NULL;
    split_name(r, name, &e->ns, &e->name);
    read_attributes(r, e, attrs);
    return e;
}

static void open_element(struct xml_reader *r, const char *name, const char **attrs) {
    if (r->since > (int64_t) r->limits.stanza_bytes_max) r->skipping = true;
    if (r->depth > r->limits.depth_max) r->skipping = true;
    // Of a stanza that is skipped its own start tag is kept all the same.
    if (r->skipping && r->depth > 1) return;
    struct xml_element *e = read_element(r, name, attrs);
    if (!e) {
        refuse(r, "policy-violation"); // not even the first one fits
        return;
    }
    if (r->depth > 1) link_child(r->open[r->depth - 1], e);
    r->open[r->depth] = e;
    buf_clear(&r->text[r->depth]);
}

static void XMLCALL on_start(void *arg, const char *name, const char **attrs) {
    struct xml_reader *r = arg;
    if (r->error) return;
    if (!r->renewing) open_element(r, name, attrs);
    r->depth++;
    // The header is handed out like a stanza: outside of the parser.
    if (r->depth == 1 && !r->renewing) XML_StopParser(r->parser, XML_TRUE);
}

static void close_element(struct xml_reader *r) {
    struct xml_element *e = r->open[r->depth];
    struct buf *text = &r->text[r->depth];
    if (text->failed) r->skipping = true;
    e->text = copy(r, (const char *) text->data, text->len);
}

static void XMLCALL on_end(void *arg, const char *name) {
    (void) name;
    struct xml_reader *r = arg;
    if (r->error) return;
    PRE(r->depth > 0);
    r->depth--;
    if (r->depth == 0) {
        r->closed = true;
        return;
    }
    if (!r->skipping) close_element(r);
    if (r->depth > 1) return;
    r->have_stanza = true;
    XML_StopParser(r->parser, XML_TRUE);
}

static bool blank(const char *s, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (!strchr(" \t\r\n", s[i])) return false;
    }
    return true;
}

static void XMLCALL on_text(void *arg, const char *s, int len) {
    struct xml_reader *r = arg;
    if (r->error) return;
    if (r->depth > 1) {
        if (!r->skipping) buf_append(&r->text[r->depth - 1], slice_of(s, (size_t) len));
        return;
    }
    r->since -= len;
    if (!blank(s, (size_t) len)) refuse(r, "bad-format");
}

static void XMLCALL on_declaration(void *arg, const char *version, const char *encoding,
                                   int alone) {
    (void) version, (void) alone;
    if (encoding && strcasecmp(encoding, "UTF-8") != 0) refuse(arg, "unsupported-encoding");
}

static void XMLCALL on_doctype(void *arg, const char *name, const char *sysid, const char *pubid,
                               int internal) {
    (void) name, (void) sysid, (void) pubid, (void) internal;
    refuse(arg, "restricted-xml");
}

static void XMLCALL on_instruction(void *arg, const char *target, const char *data) {
    (void) target, (void) data;
    refuse(arg, "restricted-xml");
}

static void XMLCALL on_comment(void *arg, const char *data) {
    (void) data;
    refuse(arg, "restricted-xml");
}

static void parser_prepare(struct xml_reader *r) {
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetXmlDeclHandler(r->parser, on_declaration);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    XML_SetProcessingInstructionHandler(r->parser, on_instruction);
    XML_SetCommentHandler(r->parser, on_comment);
    // Else the end of a stanza may wait for bytes that come with the next one.
    XML_SetReparseDeferralEnabled(r->parser, XML_FALSE);
    r->parsed = 0;
}

struct xml_reader *xml_reader_new(const struct xml_limits *limits,
                                  const struct xml_handler *handler, void *arg) {
    PRE(limits->depth_max > 0 && limits->depth_max <= XML_DEPTH_MAX);
    PRE(limits->stanza_bytes_max > 0 && limits->attributes_max > 0);
    struct xml_reader *r = calloc(1, sizeof *r);
    PRE(r);
    r->limits = *limits;
    r->handler = *handler;
    r->arg = arg;
    // A tree takes more than its text: an element of 4 bytes costs about 160.
    r->arena = arena_init((size_t) limits->stanza_bytes_max * 8 + 65536);
    r->header = buf_init(HEADER_BYTES_MAX);
    for (size_t i = 0; i < COUNT_OF(r->text); i++) r->text[i] = buf_init(limits->stanza_bytes_max);
    r->parser = XML_ParserCreateNS("UTF-8", NS_SEPARATOR);
    PRE(r->parser);
    parser_prepare(r);
    return r;
}

void xml_reader_free(struct xml_reader *r) {
    if (!r) return;
    XML_ParserFree(r->parser);
    for (size_t i = 0; i < COUNT_OF(r->text); i++) buf_fini(&r->text[i]);
    buf_fini(&r->header);
    arena_fini(&r->arena);
    free(r);
}

const char *xml_reader_error(const struct xml_reader *r) {
    return r->error;
}

// Starts a fresh parser inside the stream: it reads the stream's start tag again.
static void renew(struct xml_reader *r) {
    PRE(r->depth == 1 && !r->error);
    XML_ParserReset(r->parser, "UTF-8");
    parser_prepare(r);
    r->renewing = true;
    r->depth = 0;
    enum XML_Status s =
        XML_Parse(r->parser, (const char *) r->header.data, (int) r->header.len, XML_FALSE);
    r->renewing = false;
    PRE(s == XML_STATUS_OK && r->depth == 1);
    r->parsed = r->header.len;
}

// What expat calls it, in XMPP's words.
static const char *condition_of(enum XML_Error code) {
    switch (code) {
    case XML_ERROR_UNDEFINED_ENTITY:
    case XML_ERROR_RECURSIVE_ENTITY_REF:
    case XML_ERROR_AMPLIFICATION_LIMIT_BREACH:
        return "restricted-xml";
    case XML_ERROR_UNKNOWN_ENCODING:
    case XML_ERROR_INCORRECT_ENCODING:
        return "unsupported-encoding";
    default:
        return "not-well-formed";
    }
}

static enum result failed(struct xml_reader *r) {
    if (!r->error) r->error = condition_of(XML_GetErrorCode(r->parser));
    return INVALID;
}

static void hand_out_stanza(struct xml_reader *r) {
    bool skipped = r->skipping;
    r->have_stanza = r->skipping = false;
    struct xml_element *e = r->open[1];
    if (!skipped) {
        r->handler.on_stanza(r->arg, e);
        return;
    }
    e->first_child = e->last_child = NULL;
    e->text = slice_of("", 0);
    r->handler.on_skipped(r->arg, e);
}

static void hand_out(struct xml_reader *r) {
    if (!r->opened && r->skipping) {
        r->error = "policy-violation";
    } else if (!r->opened) {
        r->opened = true;
        r->handler.on_open(r->arg, r->open[0]);
    } else {
        PRE(r->have_stanza);
        hand_out_stanza(r);
    }
    arena_fini(&r->arena);
}

// Where in the piece the tag ends at which the parser was suspended.
static size_t suspended_at(const struct xml_reader *r, struct slice piece) {
    size_t end =
        (size_t) XML_GetCurrentByteIndex(r->parser) + (size_t) XML_GetCurrentByteCount(r->parser);
    PRE(end >= r->parsed && end - r->parsed <= piece.len);
    return end - r->parsed;
}

// Behind a suspension: hands out what was read and goes on with the rest of the piece.
static enum XML_Status go_on(struct xml_reader *r, struct slice *piece) {
    size_t end = suspended_at(r, *piece);
    r->since = -(int64_t) end;
    if (!r->opened) {
        PRE(r->header.len >= piece->len);
        r->header.len -= piece->len - end;
    }
    hand_out(r);
    if (r->parsed + end < RENEW_BYTES || r->depth != 1) return XML_ResumeParser(r->parser);
    renew(r);
    *piece = slice_of(piece->data + end, piece->len - end);
    r->since = 0;
    return XML_Parse(r->parser, (const char *) piece->data, (int) piece->len, XML_FALSE);
}

// Left alone, expat takes a byte order mark or a zero for UTF-16, whatever it was told.
static bool other_encoding(struct slice piece) {
    for (size_t i = 0; i < piece.len; i++) {
        if (piece.data[i] == 0 || piece.data[i] >= 0xFE) return true;
    }
    return false;
}

static void read_header(struct xml_reader *r, struct slice piece) {
    buf_append(&r->header, piece);
    if (r->header.failed) r->error = "policy-violation";
    if (other_encoding(piece)) r->error = "unsupported-encoding";
}

static enum result feed_piece(struct xml_reader *r, struct slice piece) {
    if (!r->opened) read_header(r, piece);
    if (r->error) return INVALID;
    enum XML_Status s = XML_Parse(r->parser, (const char *) piece.data, (int) piece.len, XML_FALSE);
    while (s == XML_STATUS_SUSPENDED && !r->error) s = go_on(r, &piece);
    if (r->error || s == XML_STATUS_ERROR) return failed(r);
    r->parsed += piece.len;
    r->since += (int64_t) piece.len;
    int64_t bytes_max = r->limits.stanza_bytes_max;
    if (r->since > bytes_max && r->depth > 1) r->skipping = true;
    if (r->since > bytes_max * (r->opened ? XML_SKIP_FACTOR : 1)) r->error = "policy-violation";
    return r->error ? INVALID : OK;
}

enum result xml_reader_feed(struct xml_reader *r, struct slice bytes) {
    PRE(r);
    bool was_closed = r->closed;
    while (bytes.len > 0 && !r->error) {
        size_t n = bytes.len < FEED_BYTES ? bytes.len : FEED_BYTES;
        enum result result = feed_piece(r, slice_of(bytes.data, n));
        if (result != OK) return result;
        bytes = slice_of(bytes.data + n, bytes.len - n);
    }
    if (r->closed && !was_closed) r->handler.on_close(r->arg);
    return r->error ? INVALID : OK;
}
