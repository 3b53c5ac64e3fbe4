// SPDX-License-Identifier: Apache-2.0
// causeway-supervisor TABLE STATUS: keeps the programs of TABLE running, shows them in STATUS.
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "supervisor/supervisor.h"

enum { ERROR_BYTES_MAX = 4096, EXIT_USAGE = 2 };

int main(int argc, char **argv) {
    struct table table;
    if (argc != 3) {
        fprintf(stderr, "usage: %s TABLE STATUS\n", argv[0]);
        return EXIT_USAGE;
    }
    log_open("supervisor", "supervisor", LOG_INFO);
    AUTO(buf) struct buf error = buf_init(ERROR_BYTES_MAX);
    if (table_read(argv[1], &table, &error) != OK) {
        log_event(LOG_ERROR, "bad_table", LSTR("path", argv[1]), LSLICE("why", buf_slice(&error)));
        return EXIT_USAGE;
    }
    return supervisor_run(&table, argv[2]) == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
