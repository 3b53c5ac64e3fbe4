// SPDX-License-Identifier: Apache-2.0
// The `causeway` command: a person of company A on a terminal.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "cli/account.h"
#include "cli/chat.h"

struct arguments {
    const char *password_file;
    const char *words[4];
    size_t count;
};

static int run_account(struct home *h, const struct arguments *a,
                       enum result (*what)(struct home *h, const char *password_file)) {
    if (strcmp(h->handle, a->words[0]) != 0) h->device_id[0] = 0; // a device has one person
    (void) snprintf(h->handle, sizeof h->handle, "%s", a->words[0]);
    return what(h, a->password_file) == OK ? 0 : 1;
}

static int run_login(struct home *h, const struct arguments *a) {
    return run_account(h, a, account_login);
}

static int run_register(struct home *h, const struct arguments *a) {
    return run_account(h, a, account_register);
}

static bool logged_in(const struct home *h) {
    if (h->refresh_token[0]) return true;
    fprintf(stderr, "causeway: nobody is logged in: causeway login HANDLE\n");
    return false;
}

static int run_chat(struct home *h, const struct arguments *a) {
    return logged_in(h) ? chat_run(h, a->words[0]) : 1;
}

static int run_send(struct home *h, const struct arguments *a) {
    return logged_in(h) ? chat_send(h, a->words[0], a->words[1]) : 1;
}

static int run_status(struct home *h, const struct arguments *a) {
    (void) a;
    struct loop *l = loop_new(clock_real());
    struct api *api = api_new(l, h->gateway);
    struct arena arena = arena_init(2u << 20);
    struct slice body = api_get_wait(api, "/status", &arena);
    if (body.len) printf("%.*s\n", (int) body.len, (const char *) body.data);
    int code = body.len ? 0 : 1;
    arena_fini(&arena);
    api_free(api);
    loop_free(l);
    return code;
}

static const struct {
    const char *name;
    size_t words;
    int (*run)(struct home *h, const struct arguments *a);
    const char *usage;
} commands[] = {
    {"register", 1, run_register, "register HANDLE     make an account and log in"},
    {"login", 1, run_login, "login HANDLE        log in (asks for the password)"},
    {"chat", 1, run_chat, "chat HANDLE         talk: a line is a message, ^D ends"},
    {"send", 2, run_send, "send HANDLE TEXT    send one message and wait until it is stored"},
    {"status", 0, run_status, "status              what the gateway says of every instance"},
};

static int usage(void) {
    fputs("usage: causeway COMMAND [--gateway URL] [--tenant T] [--password-file FILE]\n", stderr);
    for (size_t i = 0; i < COUNT_OF(commands); i++) fprintf(stderr, "  %s\n", commands[i].usage);
    return 2;
}

// --name value, or a word; false: neither.
static bool take_argument(struct home *h, struct arguments *a, int argc, char **argv, int *i) {
    const char *word = argv[*i], *value = *i + 1 < argc ? argv[*i + 1] : NULL;
    if (strncmp(word, "--", 2) != 0) {
        if (a->count == COUNT_OF(a->words)) return false;
        a->words[a->count++] = word;
        return true;
    }
    if (!value) return false;
    ++*i;
    if (strcmp(word, "--gateway") == 0)
        (void) snprintf(h->gateway, sizeof h->gateway, "%s", value);
    else if (strcmp(word, "--tenant") == 0)
        (void) snprintf(h->tenant, sizeof h->tenant, "%s", value);
    else if (strcmp(word, "--password-file") == 0)
        a->password_file = value;
    else
        return false;
    return true;
}

int main(int argc, char **argv) {
    struct home home;
    struct arguments arguments = {0};
    log_open("cli", "cli", LOG_ERROR);
    if (argc < 2) return usage();
    if (home_open(&home) != OK) return 1;
    if (home_load(&home) == INVALID) return 1;
    for (int i = 2; i < argc; i++)
        if (!take_argument(&home, &arguments, argc, argv, &i)) return usage();
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (strcmp(commands[i].name, argv[1]) != 0) continue;
        return arguments.count == commands[i].words ? commands[i].run(&home, &arguments) : usage();
    }
    return usage();
}
