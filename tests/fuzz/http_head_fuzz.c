// SPDX-License-Identifier: Apache-2.0
// Hostile bytes as a request head. What holds for any bytes: an answer never changes when more
// bytes come, and a head that passes leaves no room for a second reading of where it ends.
#include "net/http_head.h"

#include <stdlib.h>

enum { HEAD_BYTES_MAX = 512 };

static size_t count_fields(const struct http_head *h, const char *name) {
    size_t n = 0, at = 0;
    struct slice value;
    while (http_head_next(h, name, &at, &value)) n++;
    return n;
}

static void expect_plain(struct slice head) {
    for (size_t i = 0; i < head.len; i++) {
        uint8_t c = head.data[i];
        PRE(c != '\0');
        PRE(c != '\n' || (i > 0 && head.data[i - 1] == '\r'));
        PRE(c != '\r' || (i + 1 < head.len && head.data[i + 1] == '\n'));
        PRE(i < 2 || head.data[i - 1] != '\n' || (c != ' ' && c != '\t')); // no folded line
    }
    PRE(head.len > 4 && memcmp(head.data + head.len - 4, "\r\n\r\n", 4) == 0);
}

static void expect_one_reading(struct slice bytes, const struct http_head *h) {
    PRE(h->len <= bytes.len && h->len <= HEAD_BYTES_MAX);
    expect_plain(slice_of(bytes.data, h->len));
    size_t lengths = count_fields(h, "content-length");
    size_t encodings = count_fields(h, "transfer-encoding");
    PRE(count_fields(h, "host") == 1 && lengths + encodings <= 1);
    PRE(h->chunked == (encodings == 1));
    PRE(lengths == 1 || h->content_length == 0);
    PRE(h->target.len > 0 && (h->target.data[0] == '/' || h->target.data[0] == '*'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    struct slice bytes = slice_of(data + 2, size - 2);
    struct slice begin = slice_of(bytes.data, (size_t) (data[0] << 8 | data[1]) % (bytes.len + 1));
    struct http_head whole, part;
    int status = 0, part_status = 0;
    enum result r = http_head_check(bytes, NULL, HEAD_BYTES_MAX, &whole, &status);
    enum result part_r = http_head_check(begin, NULL, HEAD_BYTES_MAX, &part, &part_status);
    if (r == OK) expect_one_reading(bytes, &whole);
    if (r == INVALID) PRE(status == 400 || status == 431 || status == 505);
    if (part_r == OK) PRE(r == OK && whole.len == part.len);
    if (part_r == INVALID) PRE(r == INVALID);
    if (r == OK && begin.len < whole.len) PRE(part_r == BUSY);
    return 0;
}
