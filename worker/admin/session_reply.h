/* Session_reply: what a browser is told of its session: by sign-in, renewal and auth/me. */
#ifndef FD_ADMIN_SESSION_REPLY_H
#define FD_ADMIN_SESSION_REPLY_H

#include "admin/admin.h"
#include "tenant/user_sessions.h"

/* The shape of what session_reply() answers. */
#define SESSION_ANSWER                                                                             \
    "{user: {id: uuid, email: text, name: text},"                                                  \
    " organization: {id: uuid, name: text|null}, role: text, team_id: uuid|null,"                  \
    " session_id: uuid, csrf_token: text, expires_in: int, ends_in: int, publishable_key?: text}"

/* Sets the cookies and the body; `home` is the user's own organisation. `key` is told this once,
 * of one that was just made; NULL: none. */
void session_reply(const struct admin_request *request, struct admin_reply *reply, const char *home,
                   const struct user_session *session, const char *key);
/* New claims for the session that asks: its role, team or organisation changed. Answers. */
void session_renewed(const struct admin_request *request, struct admin_reply *reply);
/* nginx is told of the sessions that ended now (see tenant/user_sessions.h) once that is
 * committed; what could not be told, a worker will. Clears the rows. */
void sessions_ended(const struct admin_request *request, PGresult *ended);
/* The organisation of the user who asks, which a superadmin may have left. False: the reply
 * holds the problem. */
bool session_home(const struct admin_request *request, struct admin_reply *reply, char org[37]);

#endif
