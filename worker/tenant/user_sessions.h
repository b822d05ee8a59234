/*
 * User_sessions: signed-in browsers (ADM-1). A session is a row; what the browser holds
 * are claims (protocol/sign_in.h) that nginx trusts for a while and that are renewed as
 * long as the row lives. Of the claims that were given out, the newest renew the session,
 * and those before them, whose successors may have been lost on the way; older ones were
 * stolen: they end it.
 *
 * After an end, publish_sessions() tells nginx.
 */
#ifndef FD_TENANT_USER_SESSIONS_H
#define FD_TENANT_USER_SESSIONS_H

#include "core/config.h"
#include "db/db.h"
#include "protocol/sign_in.h"

#define USER_SESSIONS_MAX 20 /* of one user; a further one ends the oldest */
#define USER_AGENT_MAX    200

struct user_session {
    char id[37];
    char org[37]; /* in which it acts; a superadmin's may be another than the user's own */
    char user[37];
    char role[16];
    char team[37]; /* "": none is active */
    char nonce[FD_SIGN_IN_NONCE_SIZE];
    int64_t issued;  /* unix s */
    int64_t expires; /* the claims */
    int64_t ends;    /* the session, whatever happens */
};

/* DB_FAILED: there is no such active user. */
enum db_status user_session_start(struct db *db, const struct config *config, const char *org,
                                  const char *user, const char *address, const char *agent,
                                  struct user_session *session);
/* *alive false: it is over, or was ended now because `nonce` is an old one. */
enum db_status user_session_renew(struct db *db, const struct config *config, const char *id,
                                  const char *nonce, bool *alive, struct user_session *session);
/* Where it acts from its next claims on. DB_FAILED: no such organisation, or the user is
 * no superadmin. NULL: at home. */
enum db_status user_session_act(struct db *db, const char *id, const char *acting_org);
/* *ended false: it is not this user's, or is over already. user NULL: anybody's. */
enum db_status user_session_end(struct db *db, const char *org, const char *user, const char *id,
                                const char *why, bool *ended);
/* All of a user but `except` (may be NULL). */
enum db_status user_sessions_end(struct db *db, const char *org, const char *user,
                                 const char *except, const char *why);

enum user_session_column {
    USER_SESSION_ID,
    USER_SESSION_ADDRESS,
    USER_SESSION_AGENT,
    USER_SESSION_CREATED_AT,
    USER_SESSION_USED_AT,
    USER_SESSION_COLUMNS
};

/* Those that live, newest first. */
enum db_status user_sessions_list(struct db *db, const struct config *config, const char *org,
                                  const char *user, PGresult **sessions);

/* The organisation that the session's user belongs to; DB_FAILED: there is none. */
enum db_status user_session_home(struct db *db, const char *id, char org[37]);

/* The installation's secrets for claims; made with the first of conversations' ids. */
enum db_status sign_in_keys(struct db *db, struct fd_sign_in_keys *keys);

#endif
