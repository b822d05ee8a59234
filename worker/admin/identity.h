/*
 * Identity: who a request comes from. nginx has authenticated it and says so in headers;
 * that it is nginx who says so, its secret shows. Pure.
 */
#ifndef FD_ADMIN_IDENTITY_H
#define FD_ADMIN_IDENTITY_H

#include "admin/admin.h"

#define IDENTITY_TOKEN_HEADER   "X-Frontdesk-Token"
#define IDENTITY_ORG_HEADER     "X-Frontdesk-Org"
#define IDENTITY_ROLE_HEADER    "X-Frontdesk-Role"
#define IDENTITY_ACTOR_HEADER   "X-Frontdesk-Actor"
#define IDENTITY_SESSION_HEADER "X-Frontdesk-User-Session" /* "<session> <nonce>" */
#define IDENTITY_TEAM_HEADER    "X-Frontdesk-Team"
#define IDENTITY_REQUEST_HEADER "X-Request-Id"
#define IDENTITY_ADDRESS_HEADER "X-Frontdesk-Address"
#define IDENTITY_SCHEME_HEADER  "X-Frontdesk-Scheme"
#define IDENTITY_AGENT_HEADER   "X-Frontdesk-Agent"

#define IDENTITY_TOKEN_MIN 32 /* bytes */

/* The headers' values; NULL where one is absent. */
struct identity_claim {
    const char *token;
    const char *org;
    const char *role;
    const char *actor;
    const char *request_id;
    const char *session; /* of a user only */
    const char *team;
};

/* Fills in who asks; what it keeps of the claim is copied into the request's arena. False:
 * the secret is not `token`, or a value is missing or malformed. Where nginx says of
 * nobody, the actor is NULL. */
bool identity_check(const struct identity_claim *claim, const char *token,
                    struct admin_request *request);
const char *admin_role_name(enum admin_role role);
/* 1 to 64 letters, digits, dashes, dots and underscores: fit for a log. */
bool identity_request_id_valid(const char *id);

#endif
