#include "admin/identity.h"

#include "protocol/ids.h"

#include <sodium.h>
#include <string.h>

#define REQUEST_ID_MAX 64

static const char *const role_names[] = {[ADMIN_CLIENT] = "client",
                                         [ADMIN_STAFF] = "staff",
                                         [ADMIN_ADMIN] = "admin",
                                         [ADMIN_OWNER] = "owner"};

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

static bool read_role(const char *name, enum admin_role *role)
{
    for (int r = ADMIN_CLIENT; name != NULL && r <= ADMIN_OWNER; r++) {
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

bool identity_check(const struct identity_claim *claim, const char *token, enum admin_role *role)
{
    return token_matches(claim->token, token) && claim->org != NULL &&
           fd_uuid_valid(claim->org, strlen(claim->org)) && read_role(claim->role, role) &&
           actor_valid(claim->actor) && identity_request_id_valid(claim->request_id);
}
