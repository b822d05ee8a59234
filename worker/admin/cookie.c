#include "admin/cookie.h"

#include <inttypes.h>
#include <string.h>

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strcmp(address, "unix:") == 0;
}

bool cookie_secure(const struct config *config, const char *scheme, const char *address)
{
    if (config->public_url != NULL && strncmp(config->public_url, "https:", 6) == 0)
        return true;
    return strcmp(scheme, "http") != 0 || !is_loopback(address);
}

static void write_pair(const struct admin_request *request, struct admin_reply *reply,
                       const char *claims, const char *csrf, int64_t life)
{
    const char *name = request->secure ? FD_SIGN_IN_COOKIE_HOST : FD_SIGN_IN_COOKIE_PLAIN;
    const char *secure = request->secure ? "; Secure" : "";

    reply->cookies[0] = arena_printf(
        request->arena, "%s=%s; Path=/; Max-Age=%" PRId64 "%s; HttpOnly; SameSite=Strict", name,
        claims, life, secure);
    reply->cookies[1] = arena_printf(request->arena,
                                     "%s" FD_SIGN_IN_CSRF_SUFFIX "=%s; Path=/; Max-Age=%" PRId64
                                     "%s; SameSite=Strict",
                                     name, csrf, life, secure);
}

bool cookie_set(const struct admin_request *request, struct admin_reply *reply,
                const struct fd_sign_in_keys *keys, const struct user_session *session)
{
    char token[FD_SIGN_IN_TOKEN_SIZE], csrf[FD_SIGN_IN_CSRF_SIZE];
    const struct fd_sign_in claims = {.user = session->user,
                                      .org = session->org,
                                      .role = session->role,
                                      .team = session->team[0] != '\0' ? session->team : NULL,
                                      .session = session->id,
                                      .nonce = session->nonce,
                                      .issued = session->issued,
                                      .expires = session->expires};

    if (fd_sign_in_write(token, keys, &claims) == 0) {
        admin_problem(reply, request, FD_PROBLEM_INTERNAL, NULL, NULL);
        return false;
    }
    fd_sign_in_csrf(csrf, keys, session->id);
    write_pair(request, reply, token, csrf, session->ends - session->issued);
    return true;
}

void cookie_clear(const struct admin_request *request, struct admin_reply *reply)
{
    write_pair(request, reply, "", "", 0);
}
