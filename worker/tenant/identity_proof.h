/*
 * Identity_proof: whether a visitor is who the site says he is (WID-5). The site's server
 * knows a secret and vouches with it: by a token (protocol/jwt.h; `sub` is the user, `name` and
 * `email` may stand beside it), or by HMAC-SHA-256 of the user's id, in hexadecimal digits,
 * which never expires. Pure; comparisons take the same time whatever they find.
 */
#ifndef FD_TENANT_IDENTITY_PROOF_H
#define FD_TENANT_IDENTITY_PROOF_H

#include "core/arena.h"

#include <stdbool.h>
#include <stdint.h>

#define IDENTITY_SECRETS_MAX 2  /* during a rotation */
#define IDENTITY_LEEWAY_S    60 /* for clocks that disagree */

struct identity_secrets {
    const char *list[IDENTITY_SECRETS_MAX];
    size_t count;
};

/* A verified user; name and email may be NULL. */
struct identity {
    const char *user_id;
    const char *name;
    const char *email;
};

/* False: `why` is a sentence for the site's developer. */
bool identity_token_check(struct arena *a, const struct identity_secrets *secrets,
                          const char *token, size_t len, int64_t now_s, struct identity *identity,
                          const char **why);
bool identity_hash_check(const struct identity_secrets *secrets, const char *user_id,
                         const char *hash);

#endif
