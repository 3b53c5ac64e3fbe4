// SPDX-License-Identifier: Apache-2.0
#include "cli/screen.h"

#include <time.h>

// C0, DEL, and C1 as UTF-8 (c2 80 .. c2 9f).
void screen_text(FILE *out, const char *text) {
    const unsigned char *at = (const unsigned char *) text;
    for (; *at; at++) {
        if (*at == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f) {
            (void) fputc('?', out);
            at++;
        } else {
            (void) fputc(*at < 0x20 || *at == 0x7f ? '?' : *at, out);
        }
    }
}

static void print_head(FILE *out, const Pb__Entry *entry, const char *name) {
    char clock[16] = "";
    time_t at = (time_t) (entry->committed_ms / 1000);
    struct tm local;
    if (localtime_r(&at, &local)) (void) strftime(clock, sizeof clock, "%H:%M", &local);
    fprintf(out, "%s ", clock);
    screen_text(out, name);
    fputs(": ", out);
}

void screen_entry(FILE *out, const Pb__Entry *entry, const char *name) {
    const Pb__Change *change = entry->change;
    if (!change || change->change_case != PB__CHANGE__CHANGE_MESSAGE) return;
    const Pb__Body *body = change->message->body;
    print_head(out, entry, name);
    for (size_t i = 0; body && i < body->n_parts; i++)
        if (body->parts[i]->part_case == PB__BODY_PART__PART_TEXT)
            screen_text(out, body->parts[i]->text->text);
    fputc('\n', out);
    (void) fflush(out);
}
