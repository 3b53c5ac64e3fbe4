// SPDX-License-Identifier: Apache-2.0
#include "cli/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "causeway/auth/v1/auth.pb-c.h"

#define PASSWORD_MAX 130
#define PATH(method) "/causeway.auth.v1.AuthService/" method

// ---- passwords ----------------------------------------------------------------------------------

// Without its line end. False: not read.
static bool read_line(FILE *f, char out[PASSWORD_MAX]) {
    if (!fgets(out, PASSWORD_MAX, f)) return false;
    out[strcspn(out, "\r\n")] = 0;
    return out[0] != 0;
}

static bool ask_password(const char *prompt, char out[PASSWORD_MAX]) {
    struct termios before, silent;
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        fprintf(stderr, "%s: ", prompt);
        silent = before;
        silent.c_lflag &= ~(tcflag_t) ECHO;
        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    bool good = read_line(stdin, out);
    if (terminal) {
        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fprintf(stderr, "\n");
    }
    return good;
}

static bool get_password(const char *file, char out[PASSWORD_MAX]) {
    if (!file) return ask_password("password", out);
    FILE *f = fopen(file, "re");
    bool good = f && read_line(f, out);
    if (f) (void) fclose(f);
    if (!good) fprintf(stderr, "causeway: no password in %s\n", file);
    return good;
}

// ---- sessions -----------------------------------------------------------------------------------

static void take_session(struct home *h, const Pb__Session *s) {
    (void) snprintf(h->user_id, sizeof h->user_id, "%s", s->user_id);
    (void) snprintf(h->tenant_id, sizeof h->tenant_id, "%s", s->tenant_id);
    (void) snprintf(h->device_id, sizeof h->device_id, "%s", s->device_id);
    (void) snprintf(h->refresh_token, sizeof h->refresh_token, "%s", s->refresh_token);
}

// The outbox belongs to a device: another one begins with an empty one.
static void begin_device(const struct home *h, const char *before) {
    if (strcmp(before, h->device_id) != 0) (void) unlink(home_path_of(h, "outbox").text);
}

static enum result finish(struct home *h, const Pb__Session *s) {
    char before[sizeof h->device_id];
    if (!s) return DENIED;
    memcpy(before, h->device_id, sizeof before);
    take_session(h, s);
    begin_device(h, before);
    enum result r = home_save(h);
    if (r == OK) printf("logged in as %s\n", h->handle);
    return r;
}

static enum result call(struct home *h, const char *path, const ProtobufCMessage *request) {
    struct loop *l = loop_new(clock_real());
    struct api *a = api_new(l, h->gateway);
    AUTO(arena) struct arena arena = arena_init(1u << 20);
    const ProtobufCMessage *answer =
        api_call_wait(a, path, NULL, request, &pb__session__descriptor, &arena);
    enum result r = finish(h, (const Pb__Session *) answer);
    api_free(a);
    loop_free(l);
    return r;
}

enum result account_register(struct home *h, const char *password_file) {
    char password[PASSWORD_MAX] = "";
    if (!get_password(password_file, password)) return INVALID;
    Pb__RegisterRequest request = PB__REGISTER_REQUEST__INIT;
    request.tenant = h->tenant;
    request.handle = h->handle;
    request.password = password;
    enum result r = call(h, PATH("Register"), &request.base);
    explicit_bzero(password, sizeof password);
    return r;
}

enum result account_login(struct home *h, const char *password_file) {
    char password[PASSWORD_MAX] = "";
    if (!get_password(password_file, password)) return INVALID;
    Pb__LoginRequest request = PB__LOGIN_REQUEST__INIT;
    request.tenant = h->tenant;
    request.handle = h->handle;
    request.password = password;
    request.device_id = h->device_id;
    request.device_name = "causeway command line";
    enum result r = call(h, PATH("Login"), &request.base);
    explicit_bzero(password, sizeof password);
    return r;
}

// ---- fresh tokens -------------------------------------------------------------------------------

struct refreshing {
    struct home *home;
    account_token *done;
    void *arg;
};

static void on_refreshed(void *arg, enum result result, const ProtobufCMessage *answer,
                         const char *error) {
    struct refreshing *r = arg;
    const Pb__Session *s = (const Pb__Session *) answer;
    bool saved = false;
    if (result == OK) {
        take_session(r->home, s);
        saved = home_save(r->home) == OK;
    } else {
        fprintf(stderr, "causeway: %s\n", error);
    }
    r->done(r->arg, saved ? s->access_token : NULL, result == DENIED);
    free(r);
}

void account_refresh(struct api *a, struct home *h, account_token *done, void *arg) {
    struct refreshing *r = calloc(1, sizeof *r);
    PRE(r != NULL);
    *r = (struct refreshing){.home = h, .done = done, .arg = arg};
    Pb__RefreshRequest request = PB__REFRESH_REQUEST__INIT;
    request.refresh_token = h->refresh_token;
    api_call(a, PATH("Refresh"), NULL, &request.base, &pb__session__descriptor, on_refreshed, r);
}
