// SPDX-License-Identifier: Apache-2.0
#include "service/rpc_code.h"

#include "causeway/model/v1/model.pb-c.h"
#include "testing/testing.h"

// connectrpc.com/docs/protocol, "Error codes".
START_TEST(statuses_are_those_of_the_connect_protocol) {
    static const struct {
        enum connect_code code;
        const char *name;
        int status;
    } rows[] = {
        {CONNECT_CANCELED, "canceled", 499},
        {CONNECT_UNKNOWN, "unknown", 500},
        {CONNECT_INVALID_ARGUMENT, "invalid_argument", 400},
        {CONNECT_DEADLINE_EXCEEDED, "deadline_exceeded", 504},
        {CONNECT_NOT_FOUND, "not_found", 404},
        {CONNECT_ALREADY_EXISTS, "already_exists", 409},
        {CONNECT_PERMISSION_DENIED, "permission_denied", 403},
        {CONNECT_RESOURCE_EXHAUSTED, "resource_exhausted", 429},
        {CONNECT_FAILED_PRECONDITION, "failed_precondition", 400},
        {CONNECT_ABORTED, "aborted", 409},
        {CONNECT_OUT_OF_RANGE, "out_of_range", 400},
        {CONNECT_UNIMPLEMENTED, "unimplemented", 501},
        {CONNECT_INTERNAL, "internal", 500},
        {CONNECT_UNAVAILABLE, "unavailable", 503},
        {CONNECT_DATA_LOSS, "data_loss", 500},
        {CONNECT_UNAUTHENTICATED, "unauthenticated", 401},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ck_assert_str_eq(connect_name(rows[i].code), rows[i].name);
        ck_assert_int_eq(connect_status(rows[i].code), rows[i].status);
    }
}
END_TEST

START_TEST(every_code_of_the_model_has_a_meaning) {
    const ProtobufCEnumDescriptor *codes = &pb__error_code__descriptor;
    for (unsigned i = 0; i < codes->n_values; i++) {
        int code = codes->values[i].value;
        if (code == PB__ERROR_CODE__ERROR_CODE_UNSPECIFIED ||
            code == PB__ERROR_CODE__ERROR_CODE_INTERNAL)
            continue;
        ck_assert_msg(error_connect_code(code) != CONNECT_INTERNAL, "%s", codes->values[i].name);
        ck_assert_int_ne(error_result(code), OK);
    }
}
END_TEST

START_TEST(unknown_codes_are_internal) {
    const int unknown[] = {-1, 0, 9999};
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        ck_assert_int_eq(error_connect_code(unknown[i]), CONNECT_INTERNAL);
        ck_assert_int_eq(error_result(unknown[i]), UNCERTAIN);
    }
    ck_assert_str_eq(error_name(9999), "UNSPECIFIED");
    ck_assert_str_eq(error_name(PB__ERROR_CODE__ERROR_CODE_ID_REUSED), "ID_REUSED");
}
END_TEST

START_TEST(only_what_may_succeed_later_is_retryable) {
    ck_assert(error_retryable(PB__ERROR_CODE__ERROR_CODE_UNAVAILABLE));
    ck_assert(error_retryable(PB__ERROR_CODE__ERROR_CODE_RATE_LIMITED));
    ck_assert(!error_retryable(PB__ERROR_CODE__ERROR_CODE_NOT_FOUND));
    ck_assert(!error_retryable(PB__ERROR_CODE__ERROR_CODE_TOO_LARGE));
}
END_TEST

START_TEST(bare_statuses_mean_what_is_safe) {
    ck_assert_int_eq(status_result(503), UNAVAILABLE);
    ck_assert_int_eq(status_result(404), INVALID);
    ck_assert_int_eq(status_result(500), UNCERTAIN);
    ck_assert_int_eq(status_result(504), UNCERTAIN);
    ck_assert_int_eq(status_result(302), UNCERTAIN);
}
END_TEST

CHECK_MAIN("rpc_code", statuses_are_those_of_the_connect_protocol,
           every_code_of_the_model_has_a_meaning, unknown_codes_are_internal,
           only_what_may_succeed_later_is_retryable, bare_statuses_mean_what_is_safe)
