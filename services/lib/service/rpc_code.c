// SPDX-License-Identifier: Apache-2.0
#include "service/rpc_code.h"

#include <string.h>

#include "causeway/model/v1/model.pb-c.h"

static const struct {
    const char *name;
    int status;
} connect_codes[] = {
    [CONNECT_OK] = {"ok", 200},
    [CONNECT_CANCELED] = {"canceled", 499},
    [CONNECT_UNKNOWN] = {"unknown", 500},
    [CONNECT_INVALID_ARGUMENT] = {"invalid_argument", 400},
    [CONNECT_DEADLINE_EXCEEDED] = {"deadline_exceeded", 504},
    [CONNECT_NOT_FOUND] = {"not_found", 404},
    [CONNECT_ALREADY_EXISTS] = {"already_exists", 409},
    [CONNECT_PERMISSION_DENIED] = {"permission_denied", 403},
    [CONNECT_RESOURCE_EXHAUSTED] = {"resource_exhausted", 429},
    [CONNECT_FAILED_PRECONDITION] = {"failed_precondition", 400},
    [CONNECT_ABORTED] = {"aborted", 409},
    [CONNECT_OUT_OF_RANGE] = {"out_of_range", 400},
    [CONNECT_UNIMPLEMENTED] = {"unimplemented", 501},
    [CONNECT_INTERNAL] = {"internal", 500},
    [CONNECT_UNAVAILABLE] = {"unavailable", 503},
    [CONNECT_DATA_LOSS] = {"data_loss", 500},
    [CONNECT_UNAUTHENTICATED] = {"unauthenticated", 401},
};

#define CODE(name) PB__ERROR_CODE__ERROR_CODE_##name

struct meaning {
    enum connect_code connect;
    enum result result;
    bool retryable;
};

static const struct meaning meanings[] = {
    [CODE(BAD_MESSAGE)] = {CONNECT_INVALID_ARGUMENT, INVALID, false},
    [CODE(BAD_JSON)] = {CONNECT_INVALID_ARGUMENT, INVALID, false},
    [CODE(INVALID_TEXT)] = {CONNECT_INVALID_ARGUMENT, INVALID, false},
    [CODE(INVALID_NAME)] = {CONNECT_INVALID_ARGUMENT, INVALID, false},
    [CODE(INVALID_ARGUMENT)] = {CONNECT_INVALID_ARGUMENT, INVALID, false},
    [CODE(EMPTY_MESSAGE)] = {CONNECT_INVALID_ARGUMENT, INVALID, false},
    [CODE(TOO_LARGE)] = {CONNECT_RESOURCE_EXHAUSTED, INVALID, false},
    [CODE(LIMIT_EXCEEDED)] = {CONNECT_RESOURCE_EXHAUSTED, BUSY, false},
    [CODE(FORBIDDEN_OP)] = {CONNECT_PERMISSION_DENIED, DENIED, false},
    [CODE(NOT_FOUND)] = {CONNECT_NOT_FOUND, NOT_FOUND, false},
    [CODE(FORBIDDEN)] = {CONNECT_PERMISSION_DENIED, DENIED, false},
    [CODE(ALREADY_EXISTS)] = {CONNECT_ALREADY_EXISTS, CONFLICT, false},
    [CODE(ID_REUSED)] = {CONNECT_ALREADY_EXISTS, CONFLICT, false},
    [CODE(TOKEN_INVALID)] = {CONNECT_UNAUTHENTICATED, DENIED, false},
    [CODE(TOKEN_EXPIRED)] = {CONNECT_UNAUTHENTICATED, DENIED, false},
    [CODE(UNAUTHENTICATED)] = {CONNECT_UNAUTHENTICATED, DENIED, false},
    [CODE(PASSWORD_TOO_LONG)] = {CONNECT_INVALID_ARGUMENT, INVALID, false},
    [CODE(BAD_CREDENTIALS)] = {CONNECT_UNAUTHENTICATED, DENIED, false},
    [CODE(RATE_LIMITED)] = {CONNECT_RESOURCE_EXHAUSTED, BUSY, true},
    [CODE(OVERLOADED)] = {CONNECT_UNAVAILABLE, BUSY, true},
    [CODE(UNAVAILABLE)] = {CONNECT_UNAVAILABLE, UNAVAILABLE, true},
    [CODE(STORAGE_FULL)] = {CONNECT_RESOURCE_EXHAUSTED, BUSY, true},
    [CODE(RESYNC)] = {CONNECT_ABORTED, CONFLICT, false},
    [CODE(INTERNAL)] = {CONNECT_INTERNAL, UNCERTAIN, false},
    [CODE(ALREADY_MEMBER)] = {CONNECT_ALREADY_EXISTS, CONFLICT, false},
    [CODE(UNIMPLEMENTED)] = {CONNECT_UNIMPLEMENTED, INVALID, false},
};

const char *connect_name(enum connect_code c) {
    PRE((size_t) c < COUNT_OF(connect_codes));
    return connect_codes[c].name;
}

int connect_status(enum connect_code c) {
    PRE((size_t) c < COUNT_OF(connect_codes));
    return connect_codes[c].status;
}

static const struct meaning *meaning_of(int model_code) {
    bool known = model_code > 0 && (size_t) model_code < COUNT_OF(meanings);
    return &meanings[known && meanings[model_code].connect ? model_code : CODE(INTERNAL)];
}

enum connect_code error_connect_code(int model_code) {
    return meaning_of(model_code)->connect;
}

bool error_retryable(int model_code) {
    return meaning_of(model_code)->retryable;
}

enum result error_result(int model_code) {
    return meaning_of(model_code)->result;
}

const char *error_name(int model_code) {
    static const char prefix[] = "ERROR_CODE_";
    const ProtobufCEnumValue *v =
        protobuf_c_enum_descriptor_get_value(&pb__error_code__descriptor, model_code);
    PRE(!v || strncmp(v->name, prefix, sizeof prefix - 1) == 0);
    return v ? v->name + sizeof prefix - 1 : "UNSPECIFIED";
}

enum result status_result(int http_status) {
    if (http_status == 429 || http_status == 503) return UNAVAILABLE;
    return http_status >= 400 && http_status < 500 ? INVALID : UNCERTAIN;
}
