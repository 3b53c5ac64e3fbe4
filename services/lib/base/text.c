// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include "base/result.h"

struct range {
    uint32_t first, last;
};

static bool in_ranges(const struct range *ranges, size_t n, uint32_t cp) {
    for (size_t i = 0; i < n; i++) {
        if (cp >= ranges[i].first && cp <= ranges[i].last) return true;
    }
    return false;
}

// Length of a sequence by its first byte, and the smallest code point that may use it.
static size_t sequence_len(uint8_t first, uint32_t *bits, uint32_t *least) {
    static const struct {
        uint8_t mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if ((first & forms[i].mask) != forms[i].lead) continue;
        *bits = first & (uint8_t) ~forms[i].mask;
        *least = forms[i].least;
        return i + 1;
    }
    return 0;
}

static size_t decode(struct slice s, uint32_t *out) {
    uint32_t cp, least;
    size_t len = sequence_len(s.data[0], &cp, &least);
    if (len == 0 || len > s.len) return 0;
    for (size_t i = 1; i < len; i++) {
        if ((s.data[i] & 0xc0) != 0x80) return 0;
        cp = cp << 6 | (s.data[i] & 0x3f);
    }
    bool surrogate = cp >= 0xd800 && cp <= 0xdfff;
    if (cp < least || cp > 0x10ffff || surrogate) return 0;
    *out = cp;
    return len;
}

bool text_next(struct slice *rest, uint32_t *codepoint) {
    PRE(rest->len > 0);
    size_t len = decode(*rest, codepoint);
    size_t taken = len ? len : 1;
    *rest = slice_of(rest->data + taken, rest->len - taken);
    return len > 0;
}

// Every character is valid and accept(it); at least one is want(it), unless want is NULL.
static bool check(struct slice s, bool (*refuse)(uint32_t), bool (*want)(uint32_t)) {
    bool wanted = want == NULL;
    while (s.len > 0) {
        uint32_t cp;
        if (!text_next(&s, &cp) || refuse(cp)) return false;
        wanted = wanted || want(cp);
    }
    return wanted;
}

static bool is_nul(uint32_t cp) {
    return cp == 0;
}

static bool is_control(uint32_t cp) {
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}

// Spaces of all widths, joiners, fillers, variation selectors, tags and other characters that draw
// nothing (Unicode: White_Space, Default_Ignorable_Code_Point, blank letters).
static bool is_visible(uint32_t cp) {
    static const struct range blank[] = {
        {0x20, 0x20},       {0xa0, 0xa0},       {0xad, 0xad},     {0x34f, 0x34f},
        {0x61c, 0x61c},     {0x115f, 0x1160},   {0x1680, 0x1680}, {0x17b4, 0x17b5},
        {0x180b, 0x180f},   {0x2000, 0x200f},   {0x2028, 0x202f}, {0x205f, 0x206f},
        {0x2800, 0x2800},   {0x3000, 0x3000},   {0x3164, 0x3164}, {0xfe00, 0xfe0f},
        {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3},
        {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
    };
    return !is_control(cp) && !in_ranges(blank, COUNT_OF(blank), cp);
}

// Controls, line and paragraph separators, and what reorders or hides text around a name.
static bool is_unfit_for_name(uint32_t cp) {
    static const struct range unfit[] = {
        {0x61c, 0x61c},   {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e},
        {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
    };
    return is_control(cp) || in_ranges(unfit, COUNT_OF(unfit), cp);
}

bool text_valid_utf8(struct slice s) {
    return check(s, is_nul, NULL);
}

bool text_visible(struct slice s) {
    return check(s, is_nul, is_visible);
}

bool text_valid_name(struct slice s, size_t bytes_max) {
    return s.len <= bytes_max && check(s, is_unfit_for_name, is_visible);
}

#define HANDLE_LEN_MIN 3
#define HANDLE_LEN_MAX 32

static bool is_letter_or_digit(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool text_valid_handle(struct slice s) {
    if (s.len < HANDLE_LEN_MIN || s.len > HANDLE_LEN_MAX) return false;
    for (size_t i = 0; i < s.len; i++) {
        bool mark = s.data[i] == '.' || s.data[i] == '_' || s.data[i] == '-';
        if (!is_letter_or_digit(s.data[i]) && !(mark && i > 0)) return false;
    }
    return true;
}

struct slice text_cut(struct slice s, size_t bytes_max) {
    if (s.len <= bytes_max) return s;
    size_t len = bytes_max;
    while (len > 0 && (s.data[len] & 0xc0) == 0x80) len--;
    return slice_of(s.data, len);
}
