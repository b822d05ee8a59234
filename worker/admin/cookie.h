/* Cookie: what a signed-in browser holds: the claims, which scripts cannot read, and the
 * token that they have to show with a change (protocol/sign_in.h). */
#ifndef FD_ADMIN_COOKIE_H
#define FD_ADMIN_COOKIE_H

#include "admin/admin.h"
#include "tenant/user_sessions.h"

/* Plain HTTP is for a browser on this very machine. Pure. */
bool cookie_secure(const struct config *config, const char *scheme, const char *address);
/* False: the claims cannot be written; the reply says so. */
bool cookie_set(const struct admin_request *request, struct admin_reply *reply,
                const struct fd_sign_in_keys *keys, const struct user_session *session);
void cookie_clear(const struct admin_request *request, struct admin_reply *reply);

#endif
