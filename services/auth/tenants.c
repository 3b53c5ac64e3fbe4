// SPDX-License-Identifier: Apache-2.0
#include "auth/tenants.h"

#include <stdlib.h>

#include "base/map.h"
#include "causeway/users/v1/users.pb-c.h"

struct tenants {
    struct rpc_client *users;
    struct map *ids; // slug -> struct uuid, owned
};

struct question {
    struct tenants *tenants;
    tenants_done *done;
    void *arg;
    char slug[TENANT_SLUG_LEN_MAX + 1];
};

struct tenants *tenants_new(struct rpc_client *users) {
    struct tenants *t = calloc(1, sizeof *t);
    PRE(t != NULL);
    t->users = users;
    t->ids = map_new();
    return t;
}

void tenants_free(struct tenants *t) {
    if (!t) return;
    size_t at = 0;
    void *id;
    while ((id = map_next(t->ids, &at, NULL))) free(id);
    map_free(t->ids);
    free(t);
}

bool tenants_known(const struct tenants *t, struct slice slug, struct uuid *out) {
    const struct uuid *id = map_get(t->ids, slug);
    if (id) *out = *id;
    return id != NULL;
}

static void keep(struct tenants *t, const char *slug, struct uuid id) {
    struct uuid *kept = malloc(sizeof *kept);
    PRE(kept != NULL);
    *kept = id;
    free(map_put(t->ids, slice_str(slug), kept));
}

static void on_answer(void *arg, enum result result, int error_code,
                      const ProtobufCMessage *answer) {
    struct question *q = arg;
    struct uuid id = {{0}};
    (void) error_code;
    if (result == OK) {
        const Pb__Tenant *tenant = (const Pb__Tenant *) answer;
        result = uuid_parse(slice_str(tenant->tenant_id), &id) == OK ? OK : UNAVAILABLE;
    }
    if (result == OK) keep(q->tenants, q->slug, id);
    q->done(q->arg, result, id);
    free(q);
}

enum result tenants_ask(struct tenants *t, struct slice slug, const char *trace_id,
                        tenants_done *done, void *arg) {
    if (slug.len > TENANT_SLUG_LEN_MAX) return INVALID;
    struct question *q = calloc(1, sizeof *q);
    PRE(q != NULL);
    *q = (struct question){.tenants = t, .done = done, .arg = arg};
    memcpy(q->slug, slug.data, slug.len);
    Pb__FindTenantRequest request = PB__FIND_TENANT_REQUEST__INIT;
    request.slug = q->slug;
    struct uuid nobody = {{0}};
    enum result result =
        rpc_call(t->users, "/causeway.users.v1.UserService/FindTenant", nobody, nobody, trace_id,
                 &request.base, &pb__tenant__descriptor, on_answer, q);
    if (result != OK) free(q);
    return result;
}
