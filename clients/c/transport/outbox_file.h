// SPDX-License-Identifier: Apache-2.0
// The outbox on disk: an append-only file of records (4-byte big-endian length, 4-byte checksum,
// bytes), mode 0600. A torn tail, left by a crash in the middle of a write, is cut off when the
// file is opened.
#pragma once

#include "base/result.h"
#include "base/slice.h"

struct outbox_file;

#define OUTBOX_RECORD_BYTES_MAX (1u << 20)

// Opens or makes the file, calls record for each one, oldest first. DENIED: somebody else has it
// open; UNAVAILABLE: cannot be opened or made.
MUST_USE enum result outbox_file_open(const char *path, void (*record)(void *arg, struct slice r),
                                      void *arg, struct outbox_file **out);
void outbox_file_close(struct outbox_file *f);

// durable: returns after the bytes have reached the disk. UNAVAILABLE: not written (disk full,
// ...).
MUST_USE enum result outbox_file_append(struct outbox_file *f, struct slice record, bool durable);
size_t outbox_file_bytes(const struct outbox_file *f);
// Appends go to a new file from here on: the records of a snapshot, then outbox_file_end_rewrite,
// which puts the new content in the old one's place in one step.
MUST_USE enum result outbox_file_begin_rewrite(struct outbox_file *f);
MUST_USE enum result outbox_file_end_rewrite(struct outbox_file *f);
