// SPDX-License-Identifier: Apache-2.0
#include "net/ws_handshake.h"

#include <openssl/evp.h>

enum { KEY_CHARS = 24, SHA1_BYTES = 20, ACCEPT_CHARS = 28 };

// base64 of 16 bytes.
static bool is_key(struct slice key) {
    if (key.len != KEY_CHARS) return false;
    for (size_t i = 0; i < KEY_CHARS - 2; i++) {
        uint8_t c = key.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!letter && c != '+' && c != '/') return false;
    }
    return key.data[KEY_CHARS - 2] == '=' && key.data[KEY_CHARS - 1] == '=';
}

static void accept_of(struct slice key, char out[ACCEPT_CHARS + 1]) {
    static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t text[KEY_CHARS + sizeof GUID - 1], digest[SHA1_BYTES];
    memcpy(text, key.data, KEY_CHARS);
    memcpy(text + KEY_CHARS, GUID, sizeof GUID - 1);
    int ok = EVP_Digest(text, sizeof text, digest, NULL, EVP_sha1(), NULL);
    PRE(ok == 1);
    (void) EVP_EncodeBlock((unsigned char *) out, digest, sizeof digest);
}

// The count when none is equal.
static unsigned index_of(const char *const *list, struct slice wanted) {
    unsigned i = 0;
    while (list[i] && !slice_equal(wanted, slice_str(list[i]))) i++;
    return i;
}

static bool origin_allowed(const struct http_head *head, const char *const *origins) {
    size_t at = 0;
    struct slice origin;
    while (origins && http_head_next(head, "origin", &at, &origin)) {
        if (!origins[index_of(origins, origin)]) return false;
    }
    return true;
}

// The client's first one that is ours.
static bool choose_protocol(const struct http_head *head, const char *const *protocols,
                            unsigned *out) {
    size_t at = 0;
    struct slice list, item;
    while (http_head_next(head, "sec-websocket-protocol", &at, &list)) {
        while (http_list_next(&list, &item)) {
            unsigned i = index_of(protocols, item);
            if (!protocols[i]) continue;
            *out = i;
            return true;
        }
    }
    return false;
}

static bool has_once(const struct http_head *head, const char *name, struct slice *value) {
    size_t at = 0;
    struct slice again;
    return http_head_next(head, name, &at, value) && !http_head_next(head, name, &at, &again);
}

static int check_request(const struct http_head *head, const struct ws_terms *terms,
                         struct slice *key, const char **extra) {
    struct slice path, query, version;
    (void) slice_split(head->target, '?', &path, &query);
    if (!slice_equal(path, slice_str(terms->path))) return 404;
    *extra = "allow: GET\r\n";
    if (!slice_equal(head->method, slice_str("GET"))) return 405;
    *extra = "upgrade: websocket\r\nsec-websocket-version: 13\r\n";
    if (!head->upgrade_websocket) return 426;
    if (!has_once(head, "sec-websocket-version", &version)) return 400;
    if (!slice_equal(version, slice_str("13"))) return 426;
    *extra = "";
    if (head->content_length > 0 || head->chunked) return 400;
    if (!has_once(head, "sec-websocket-key", key) || !is_key(*key)) return 400;
    return origin_allowed(head, terms->origins) ? 0 : 403;
}

int ws_handshake(const struct http_head *head, const struct ws_terms *terms, struct buf *answer,
                 unsigned *protocol, const char **extra) {
    struct slice key;
    *extra = "";
    *protocol = 0;
    int status = check_request(head, terms, &key, extra);
    if (status) return status;
    if (terms->protocols && !choose_protocol(head, terms->protocols, protocol)) return 400;
    char accept[ACCEPT_CHARS + 1];
    accept_of(key, accept);
    buf_printf(answer,
               "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
               "sec-websocket-accept: %s\r\n",
               accept);
    if (terms->protocols)
        buf_printf(answer, "sec-websocket-protocol: %s\r\n", terms->protocols[*protocol]);
    buf_append_str(answer, "\r\n");
    PRE(!answer->failed);
    return 0;
}
