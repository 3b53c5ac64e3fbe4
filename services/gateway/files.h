// SPDX-License-Identifier: Apache-2.0
// The web page's files, read once at the start and served from memory with strong ETags.
#pragma once

#include "net/http_server.h"

struct files;

#define FILES_MAX 64
#define FILE_BYTES_MAX (4u << 20)

// Reads the files of a folder (not its sub-folders). root empty or unreadable: a set without files.
struct files *files_new(const char *root);
void files_free(struct files *f);
size_t files_count(const struct files *f);

// Answers a GET: "/" is index.html; 304 when If-None-Match names the file's ETag; 404 otherwise.
void files_serve(const struct files *f, struct http_request *r);
