// SPDX-License-Identifier: Apache-2.0
#include "net/http_head.h"

#include <strings.h>

enum {
    FIELDS_MAX = 100,
    METHOD_BYTES_MAX = 32,
    HOST_BYTES_MAX = 255 + 6,
    LENGTH_DIGITS_MAX = 18, // below 2^63
    BAD_REQUEST = 400,
    MISDIRECTED = 421,
    TOO_LARGE = 431,
    BAD_VERSION = 505,
};

struct check {
    struct http_head head;
    const char *const *hosts;
    unsigned hosts_seen, lengths_seen, encodings_seen;
    bool connection_upgrade, websocket; // an upgrade needs both fields
};

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_alnum(uint8_t c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_visible(uint8_t c) {
    return c > 0x20 && c < 0x7f;
}

// RFC 9110 5.6.2: names and methods.
static bool is_token(struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        if (!is_alnum(s.data[i]) && !(s.data[i] && strchr("!#$%&'*+-.^_`|~", s.data[i])))
            return false;
    }
    return s.len > 0;
}

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t';
}

static struct slice trim(struct slice s) {
    while (s.len && is_blank(s.data[0])) s = slice_of(s.data + 1, s.len - 1);
    while (s.len && is_blank(s.data[s.len - 1])) s.len--;
    return s;
}

bool http_equal(struct slice s, const char *text) {
    return s.len == strlen(text) && strncasecmp((const char *) s.data, text, s.len) == 0;
}

bool http_list_next(struct slice *list, struct slice *item) {
    while (list->len) {
        struct slice head, rest;
        (void) slice_split(*list, ',', &head, &rest);
        *list = rest;
        *item = trim(head);
        if (item->len) return true;
    }
    return false;
}

// The line without its CRLF. BUSY: no end in sight and nothing forbidden so far.
static enum result take_line(struct slice *rest, struct slice *line) {
    const uint8_t *lf = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    size_t len = lf ? (size_t) (lf - rest->data) : rest->len;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = rest->data[i];
        bool last_cr = c == '\r' && i == len - 1;
        if ((c < 0x20 && c != '\t' && !last_cr) || c == 0x7f) return INVALID;
    }
    if (!lf) return BUSY;
    if (len == 0 || rest->data[len - 1] != '\r') return INVALID;
    *line = slice_of(rest->data, len - 1);
    *rest = slice_of(lf + 1, rest->len - len - 1);
    return OK;
}

// Origin form, or "*" for OPTIONS: what a server that is no proxy is asked for.
static bool valid_target(struct slice method, struct slice target) {
    if (http_equal(target, "*")) return http_equal(method, "OPTIONS");
    if (target.len == 0 || target.data[0] != '/') return false;
    for (size_t i = 0; i < target.len; i++) {
        if (!is_visible(target.data[i]) || target.data[i] == '#') return false;
    }
    return true;
}

static bool is_version(struct slice s) {
    return s.len == 8 && memcmp(s.data, "HTTP/", 5) == 0 && is_digit(s.data[5]) &&
           s.data[6] == '.' && is_digit(s.data[7]);
}

// 0: fine; else the status to answer.
static int check_request_line(struct check *c, struct slice line) {
    struct slice method, target, version;
    (void) slice_split(line, ' ', &method, &version);
    if (!is_token(method) || method.len > METHOD_BYTES_MAX) return BAD_REQUEST;
    bool has_version = slice_split(version, ' ', &target, &version);
    if (!has_version && target.len > 0) return BAD_VERSION; // HTTP/0.9
    if (!is_version(version)) return BAD_REQUEST;
    if (memcmp(version.data, "HTTP/1.1", 8) != 0) return BAD_VERSION;
    if (!valid_target(method, target)) return BAD_REQUEST;
    c->head.method = method;
    c->head.target = target;
    return 0;
}

// Splits host and port; an IPv6 address keeps its brackets.
static bool split_host(struct slice value, struct slice *name, struct slice *port) {
    *name = value;
    *port = slice_of(NULL, 0);
    if (value.len == 0) return false;
    size_t from = 0;
    if (value.data[0] == '[') {
        const uint8_t *end = memchr(value.data, ']', value.len);
        if (!end) return false;
        from = (size_t) (end - value.data);
    }
    const uint8_t *colon = memchr(value.data + from, ':', value.len - from);
    if (!colon) return true;
    name->len = (size_t) (colon - value.data);
    *port = slice_of(colon + 1, value.len - name->len - 1);
    return port->len > 0;
}

static bool valid_host(struct slice name, struct slice port) {
    bool address = name.len > 2 && name.data[0] == '[';
    size_t from = address ? 1 : 0, to = address ? name.len - 1 : name.len;
    for (size_t i = from; i < to; i++) {
        uint8_t ch = name.data[i];
        if (!is_alnum(ch) && !(ch && strchr(address ? ":." : ".-_", ch))) return false;
    }
    for (size_t i = 0; i < port.len; i++) {
        if (!is_digit(port.data[i])) return false;
    }
    return name.len > 0 && port.len <= 5 && (!address || name.data[name.len - 1] == ']');
}

static int on_host(struct check *c, struct slice value) {
    struct slice name, port;
    if (c->hosts_seen++ || value.len > HOST_BYTES_MAX) return BAD_REQUEST;
    if (!split_host(value, &name, &port) || !valid_host(name, port)) return BAD_REQUEST;
    c->head.host = value;
    if (!c->hosts) return 0;
    for (size_t i = 0; c->hosts[i]; i++) {
        if (http_equal(name, c->hosts[i])) return 0;
    }
    return MISDIRECTED;
}

static int on_content_length(struct check *c, struct slice value) {
    if (c->lengths_seen++ || value.len > LENGTH_DIGITS_MAX) return BAD_REQUEST;
    return slice_to_u64(value, &c->head.content_length) ? 0 : BAD_REQUEST;
}

static int on_transfer_encoding(struct check *c, struct slice value) {
    if (c->encodings_seen++ || !http_equal(value, "chunked")) return BAD_REQUEST;
    c->head.chunked = true;
    return 0;
}

static int on_connection(struct check *c, struct slice value) {
    struct slice item;
    while (http_list_next(&value, &item)) {
        c->head.close |= http_equal(item, "close");
        c->connection_upgrade |= http_equal(item, "upgrade");
    }
    return 0;
}

static int on_upgrade(struct check *c, struct slice value) {
    struct slice item;
    while (http_list_next(&value, &item)) {
        if (http_equal(item, "h2c") || http_equal(item, "h2")) return BAD_REQUEST;
        c->websocket |= http_equal(item, "websocket");
    }
    return 0;
}

static int on_http2_settings(struct check *c, struct slice value) {
    (void) c;
    (void) value;
    return BAD_REQUEST;
}

static int on_expect(struct check *c, struct slice value) {
    c->head.expect_continue |= http_equal(value, "100-continue");
    return 0;
}

static const struct {
    const char *name;
    int (*check)(struct check *c, struct slice value);
} FIELDS[] = {
    {"host", on_host},
    {"content-length", on_content_length},
    {"transfer-encoding", on_transfer_encoding},
    {"connection", on_connection},
    {"upgrade", on_upgrade},
    {"http2-settings", on_http2_settings},
    {"expect", on_expect},
};

static int check_field(struct check *c, struct slice line) {
    struct slice name, value;
    // A line that begins with a blank (obs-fold) has no valid name; neither has "name :".
    if (!slice_split(line, ':', &name, &value) || !is_token(name)) return BAD_REQUEST;
    for (size_t i = 0; i < COUNT_OF(FIELDS); i++) {
        if (http_equal(name, FIELDS[i].name)) return FIELDS[i].check(c, trim(value));
    }
    return 0;
}

static int check_whole(struct check *c) {
    if (c->hosts_seen != 1) return BAD_REQUEST;
    if (c->lengths_seen && c->encodings_seen) return BAD_REQUEST;
    c->head.upgrade_websocket = c->websocket && c->connection_upgrade;
    return 0;
}

// 0: *r tells whether the head is complete; else the status to answer.
static int check_lines(struct check *c, struct slice bytes, enum result *r) {
    struct slice rest = bytes, line;
    *r = take_line(&rest, &line);
    if (*r != OK) return *r == INVALID ? BAD_REQUEST : 0;
    int status = check_request_line(c, line);
    const uint8_t *fields = rest.data;
    for (unsigned n = 0; status == 0; n++) {
        const uint8_t *begin = rest.data;
        *r = take_line(&rest, &line);
        if (*r != OK) return *r == INVALID ? BAD_REQUEST : 0;
        c->head.fields = slice_of(fields, (size_t) (begin - fields));
        if (line.len == 0) break;
        status = n < FIELDS_MAX ? check_field(c, line) : TOO_LARGE;
    }
    c->head.len = bytes.len - rest.len;
    return status ? status : check_whole(c);
}

enum result http_head_check(struct slice bytes, const char *const *hosts, size_t bytes_max,
                            struct http_head *out, int *status) {
    PRE(bytes_max > 0 && out && status);
    struct check c = {.hosts = hosts};
    enum result r;
    int wrong = check_lines(&c, bytes, &r);
    size_t len = r == OK ? c.head.len : bytes.len;
    if (!wrong && (len > bytes_max || (r == BUSY && len == bytes_max))) wrong = TOO_LARGE;
    if (wrong) {
        *status = wrong;
        return INVALID;
    }
    if (r == OK) *out = c.head;
    return r;
}

bool http_head_next(const struct http_head *h, const char *name, size_t *at, struct slice *value) {
    while (*at < h->fields.len) {
        struct slice rest = slice_of(h->fields.data + *at, h->fields.len - *at);
        struct slice line, field, content;
        enum result r = take_line(&rest, &line);
        PRE(r == OK); // http_head_check has seen these lines
        *at = h->fields.len - rest.len;
        (void) slice_split(line, ':', &field, &content);
        if (!http_equal(field, name)) continue;
        *value = trim(content);
        return true;
    }
    return false;
}

struct slice http_head_value(const struct http_head *h, const char *name) {
    size_t at = 0;
    struct slice value = {0};
    (void) http_head_next(h, name, &at, &value);
    return value;
}
