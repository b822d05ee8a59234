#include "admin/identity.h"

#include "protocol/sign_in.h"

#include <sodium.h>
#include <string.h>

#define REQUEST_ID_MAX 64

static const char *const role_names[] = {[ADMIN_CLIENT] = "client",
                                         [ADMIN_STAFF] = "staff",
                                         [ADMIN_ADMIN] = "admin",
                                         [ADMIN_OWNER] = "owner",
                                         [ADMIN_SUPERADMIN] = "superadmin"};

const char *admin_role_name(enum admin_role role)
{
    return role_names[role];
}

static bool token_matches(const char *given, const char *token)
{
    size_t len = strlen(token);

    return given != NULL && len >= IDENTITY_TOKEN_MIN && strlen(given) == len &&
           sodium_memcmp(given, token, len) == 0;
}

/* nginx calls a key that may do less than an admin a reader or a writer: a process that
 * does not know these names lets them do nothing. */
static bool read_role(const char *name, enum admin_role *role, enum admin_scope *scope)
{
    if (name == NULL)
        return false;
    *role = ADMIN_ADMIN;
    *scope = strcmp(name, "reader") == 0   ? ADMIN_SCOPE_READ
             : strcmp(name, "writer") == 0 ? ADMIN_SCOPE_WRITE
                                           : ADMIN_SCOPE_ALL;
    if (*scope != ADMIN_SCOPE_ALL)
        return true;
    for (int r = ADMIN_CLIENT; r <= ADMIN_SUPERADMIN; r++) {
        if (strcmp(name, role_names[r]) == 0) {
            *role = (enum admin_role)r;
            return true;
        }
    }
    return false;
}

static bool actor_valid(const char *actor)
{
    if (actor == NULL)
        return false;
    size_t prefix = strncmp(actor, "key:", 4) == 0 ? 4 : strncmp(actor, "user:", 5) == 0 ? 5 : 0;
    return prefix > 0 && fd_uuid_valid(actor + prefix, strlen(actor + prefix));
}

bool identity_request_id_valid(const char *id)
{
    size_t len = id != NULL ? strlen(id) : 0;

    return len > 0 && len <= REQUEST_ID_MAX &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

/* "<uuid> <nonce>" of a user, nothing of a key. */
static bool read_session(const struct identity_claim *claim, struct admin_request *request)
{
    size_t id = claim->session != NULL ? strcspn(claim->session, " ") : 0;

    if (request->user == NULL)
        return claim->session == NULL && claim->team == NULL;
    if (id == 0 || claim->session[id] == '\0' || !fd_uuid_valid(claim->session, id) ||
        strlen(claim->session + id + 1) != FD_SIGN_IN_NONCE_LEN ||
        (claim->team != NULL && !fd_uuid_valid(claim->team, strlen(claim->team))))
        return false;
    request->session = arena_strndup(request->arena, claim->session, id);
    request->nonce = arena_strdup(request->arena, claim->session + id + 1);
    request->team = arena_strdup(request->arena, claim->team);
    return true;
}

bool identity_check(const struct identity_claim *claim, const char *token,
                    struct admin_request *request)
{
    if (!token_matches(claim->token, token) || !identity_request_id_valid(claim->request_id))
        return false;
    if (claim->org == NULL && claim->role == NULL && claim->actor == NULL)
        return claim->session == NULL;
    if (claim->org == NULL || !fd_uuid_valid(claim->org, strlen(claim->org)) ||
        !read_role(claim->role, &request->role, &request->scope) || !actor_valid(claim->actor))
        return false;
    request->org = arena_strdup(request->arena, claim->org);
    request->actor = arena_strdup(request->arena, claim->actor);
    if (strncmp(claim->actor, "user:", 5) == 0)
        request->user = request->actor + 5;
    return read_session(claim, request);
}
