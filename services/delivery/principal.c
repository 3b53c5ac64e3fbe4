// SPDX-License-Identifier: Apache-2.0
#include "delivery/principal.h"

#include <stdio.h>

#include "delivery/state.h"

static bool parse(const char *text, struct uuid *out) {
    return uuid_parse(slice_str(text), out) == OK;
}

bool principal_parse(const Pb__Principal *m, struct principal *out) {
    struct principal p = {0};
    if (!m || !parse(m->tenant_id, &p.tenant_id) || !parse(m->user_id, &p.user_id) ||
        !parse(m->device_id, &p.device_id))
        return false;
    if (m->platform <= 0 || (unsigned) m->platform >= PLATFORMS_MAX) return false;
    bool native = m->platform == PB__PLATFORM__PLATFORM_NATIVE;
    if (native != (m->incarnation == 0) || m->incarnation > INT64_MAX) return false;
    p.platform = (uint8_t) m->platform;
    p.incarnation = m->incarnation;
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long) m->incarnation);
    p.own_device_id = p.device_id;
    if (!native) p.device_id = uuid_v5(p.device_id, slice_str(text));
    *out = p;
    return true;
}
