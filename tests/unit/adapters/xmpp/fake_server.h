// SPDX-License-Identifier: Apache-2.0
// B's server as the adapter meets it: a component port (XEP-0114) that answers pings, and a log of
// what came. Its archive is a real table, see world.h.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "crypto/hash.h"
#include "net/stream.h"
#include "xml/reader.h"
#include "xmpp/names.h"

enum { FAKE_STANZAS_MAX = 512 };

struct fake_stanza {
    char name[16], from[128], to[128], type[24], id[80];
    char body[256];
    char child[48];    // name of the first child
    char child_id[80]; // its id attribute
    char condition[48];
};

struct fake_server {
    struct loop *loop;
    struct stream_server *server;
    struct stream *stream;
    struct xml_reader *reader;
    const char *secret;
    bool mute_pings; // are taken and not answered
    bool refuse;     // the handshake
    unsigned handshakes;
    struct fake_stanza list[FAKE_STANZAS_MAX];
    size_t count;
};

#define FAKE_STREAM_ID "fake-4242"

static void server_send(struct fake_server *v, const char *text) {
    PRE(v->stream);
    enum result r = stream_send(v->stream, slice_str(text));
    PRE(r == OK);
}

static void keep_slice(char *out, size_t size, struct slice s) {
    snprintf(out, size, "%.*s", (int) s.len, s.data ? (const char *) s.data : "");
}

static void answer_ping(struct fake_server *v, const struct fake_stanza *s) {
    char text[512];
    snprintf(text, sizeof text, "<iq from='%s' to='%s' type='result' id='%s'/>", s->to, s->from,
             s->id);
    server_send(v, text);
}

static void note_children(struct fake_stanza *s, const struct xml_element *e) {
    const struct xml_element *c = e->first_child;
    if (!c) return;
    const struct xml_element *body = xml_child(e, NULL, "body");
    if (body) keep_slice(s->body, sizeof s->body, body->text);
    keep_slice(s->child, sizeof s->child, c->name);
    keep_slice(s->child_id, sizeof s->child_id, xml_attr(c, "id"));
    const struct xml_element *error = xml_child(e, NULL, "error");
    if (error && error->first_child)
        keep_slice(s->condition, sizeof s->condition, error->first_child->name);
}

static void server_on_stanza(void *arg, const struct xml_element *e) {
    struct fake_server *v = arg;
    if (slice_equal(e->name, slice_str("handshake"))) {
        char both[256];
        snprintf(both, sizeof both, "%s%s", FAKE_STREAM_ID, v->secret);
        struct sha1_hex wanted = sha1_hex_of(slice_str(both));
        bool good = slice_equal(e->text, slice_str(wanted.text)) && !v->refuse;
        v->handshakes++;
        server_send(v, good ? "<handshake/>"
                            : "<stream:error><not-authorized "
                              "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
                              "</stream:stream>");
        return;
    }
    PRE(v->count < FAKE_STANZAS_MAX);
    struct fake_stanza *s = &v->list[v->count];
    memset(s, 0, sizeof *s);
    keep_slice(s->name, sizeof s->name, e->name);
    keep_slice(s->from, sizeof s->from, xml_attr(e, "from"));
    keep_slice(s->to, sizeof s->to, xml_attr(e, "to"));
    keep_slice(s->type, sizeof s->type, xml_attr(e, "type"));
    keep_slice(s->id, sizeof s->id, xml_attr(e, "id"));
    note_children(s, e);
    bool ping = strcmp(s->child, "ping") == 0;
    if (!ping) v->count++; // pings are not worth a note
    if (ping && !v->mute_pings) answer_ping(v, s);
}

static void server_on_header(void *arg, const struct xml_element *root) {
    (void) root;
    server_send(arg, "<?xml version='1.0'?><stream:stream id='" FAKE_STREAM_ID
                     "' xmlns:stream='http://etherx.jabber.org/streams' xmlns='" NS_COMPONENT "'>");
}

static void server_on_footer(void *arg) {
    (void) arg;
}

static void server_on_skipped(void *arg, const struct xml_element *head) {
    (void) arg, (void) head;
    PRE(false); // the adapter writes nothing of that kind
}

static void server_forget(struct fake_server *v) {
    xml_reader_free(v->reader);
    v->reader = NULL;
    v->stream = NULL;
}

static void server_on_open(void *arg, struct stream *s) {
    struct fake_server *v = arg;
    static const struct xml_limits LIMITS = {
        .depth_max = 32, .attributes_max = 64, .stanza_bytes_max = 1u << 20};
    static const struct xml_handler HANDLER = {.on_open = server_on_header,
                                               .on_stanza = server_on_stanza,
                                               .on_skipped = server_on_skipped,
                                               .on_close = server_on_footer};
    if (v->stream) stream_close(&v->stream);
    xml_reader_free(v->reader);
    v->stream = s;
    v->reader = xml_reader_new(&LIMITS, &HANDLER, v);
}

static void server_on_bytes(void *arg, struct stream *s, struct slice bytes) {
    struct fake_server *v = arg;
    if (s != v->stream) return;
    enum result r = xml_reader_feed(v->reader, bytes);
    PRE(r == OK);
}

static void server_on_close(void *arg, struct stream *s, enum result why) {
    struct fake_server *v = arg;
    (void) why;
    if (s == v->stream) server_forget(v);
}

static void fake_server_start(struct fake_server *v, struct loop *l, const char *secret) {
    static const struct stream_handler HANDLER = {server_on_open, server_on_bytes, server_on_close};
    static const struct stream_limits LIMITS = {
        .frame_bytes_max = 65536, .queue_bytes_max = 16u << 20, .raw = true};
    memset(v, 0, sizeof *v);
    v->loop = l;
    v->secret = secret;
    enum result r = stream_server_new(l, "127.0.0.1", 0, LIMITS, HANDLER, v, &v->server);
    PRE(r == OK);
}

static void fake_server_stop(struct fake_server *v) {
    xml_reader_free(v->reader);
    stream_server_free(v->server);
}

// Breaks the connection.
static void server_break(struct fake_server *v) {
    stream_close(&v->stream);
    server_forget(v);
}

// The n-th (from 1) stanza of that name with that first child (NULL: any); NULL: not yet.
static const struct fake_stanza *server_find(const struct fake_server *v, const char *name,
                                             const char *child, size_t n) {
    for (size_t i = 0; i < v->count; i++) {
        const struct fake_stanza *s = &v->list[i];
        if (strcmp(s->name, name) != 0 || (child && strcmp(s->child, child) != 0)) continue;
        if (--n == 0) return s;
    }
    return NULL;
}
