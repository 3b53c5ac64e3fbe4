// SPDX-License-Identifier: Apache-2.0
#include "xmpp/jid.h"

#include <strings.h>

#include "base/text.h"

#define PART_BYTES_MAX 1023u

static bool part_valid(struct slice s, const char *forbidden) {
    if (s.len == 0 || s.len > PART_BYTES_MAX || !text_valid_utf8(s)) return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] <= ' ' || s.data[i] == 0x7F) return false;
        if (forbidden && strchr(forbidden, s.data[i])) return false;
    }
    return true;
}

static bool resource_valid(struct slice s) {
    if (s.len == 0 || s.len > PART_BYTES_MAX || !text_valid_utf8(s)) return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < ' ' || s.data[i] == 0x7F) return false;
    }
    return true;
}

enum result jid_parse(struct slice text, struct jid *out) {
    PRE(out);
    struct jid j = {.local = slice_of("", 0), .resource = slice_of("", 0)};
    struct slice bare, local, domain;
    if (slice_split(text, '/', &bare, &j.resource) && !resource_valid(j.resource)) return INVALID;
    if (slice_split(bare, '@', &local, &domain)) {
        j.local = local;
        if (!part_valid(local, "\"&'/:<>@")) return INVALID;
    } else {
        domain = bare;
    }
    j.domain = domain;
    if (!part_valid(domain, "\"&'/<>@")) return INVALID;
    *out = j;
    return OK;
}

static char *put_lower(char *at, struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = (char) s.data[i];
        *at++ = c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
    }
    return at;
}

enum result jid_bare(struct slice text, struct bare_jid *out) {
    struct jid j;
    if (jid_parse(text, &j) != OK) return INVALID;
    if (j.local.len + 1 + j.domain.len > JID_BARE_MAX) return INVALID;
    char *at = out->text;
    if (j.local.len > 0) {
        at = put_lower(at, j.local);
        *at++ = '@';
    }
    *put_lower(at, j.domain) = 0;
    return OK;
}

bool jid_domain_is(const struct jid *j, const char *domain) {
    PRE(j && domain);
    return j->domain.len == strlen(domain) &&
           strncasecmp((const char *) j->domain.data, domain, j->domain.len) == 0;
}
