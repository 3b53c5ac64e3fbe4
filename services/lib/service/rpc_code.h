// SPDX-License-Identifier: Apache-2.0
// What model.v1.ErrorCode means in the Connect protocol, in HTTP, and to a caller.
#pragma once

#include <stdbool.h>

#include "base/result.h"

enum connect_code {
    CONNECT_OK,
    CONNECT_CANCELED,
    CONNECT_UNKNOWN,
    CONNECT_INVALID_ARGUMENT,
    CONNECT_DEADLINE_EXCEEDED,
    CONNECT_NOT_FOUND,
    CONNECT_ALREADY_EXISTS,
    CONNECT_PERMISSION_DENIED,
    CONNECT_RESOURCE_EXHAUSTED,
    CONNECT_FAILED_PRECONDITION,
    CONNECT_ABORTED,
    CONNECT_OUT_OF_RANGE,
    CONNECT_UNIMPLEMENTED,
    CONNECT_INTERNAL,
    CONNECT_UNAVAILABLE,
    CONNECT_DATA_LOSS,
    CONNECT_UNAUTHENTICATED,
};

const char *connect_name(enum connect_code c);
int connect_status(enum connect_code c);

// Unknown model codes are INTERNAL.
enum connect_code error_connect_code(int model_code);
// Whether the same request may succeed later.
bool error_retryable(int model_code);
// What a caller is told.
enum result error_result(int model_code);
// "NOT_FOUND"; "UNSPECIFIED" for unknown ones.
const char *error_name(int model_code);
// What an answer without our error in it means, by its HTTP status.
enum result status_result(int http_status);
