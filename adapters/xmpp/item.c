// SPDX-License-Identifier: Apache-2.0
#include "xmpp/item.h"

#include <stdlib.h>

#define OPERATION_BYTES_MAX (1u << 20)

const char *item_class_name(enum item_class c) {
    static const char *const NAMES[ITEM_CLASSES] = {"live", "recovered", "bounced-or-lost"};
    PRE((size_t) c < COUNT_OF(NAMES));
    return NAMES[c];
}

struct item *item_new(void) {
    struct item *i = calloc(1, sizeof *i);
    PRE(i);
    i->operation = buf_init(OPERATION_BYTES_MAX);
    return i;
}

void item_free(struct item *i) {
    if (!i) return;
    PRE(!list_linked(&i->node));
    free(i->sender_jid);
    free(i->addressee_jid);
    free(i->stanza_id);
    free(i->foreign_base);
    free(i->foreign_id);
    buf_fini(&i->operation);
    free(i);
}
