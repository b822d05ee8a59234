/*
 * User_sessions: signed-in browsers (ADM-1). A session is a row; what the browser holds
 * are claims (protocol/sign_in.h) that nginx trusts for a while and that are renewed as
 * long as the row lives. Of the claims that were given out, the newest renew the session,
 * and those before them, whose successors may have been lost on the way; older ones were
 * stolen: they end it.
 *
 * Whatever ends sessions gives their rows, USER_SESSION_ENDED, for publish_sessions() to tell
 * nginx once they are committed. The caller clears them; NULL unless DB_OK.
 */
#ifndef FD_TENANT_USER_SESSIONS_H
#define FD_TENANT_USER_SESSIONS_H

#include "core/config.h"
#include "db/db.h"
#include "protocol/sign_in.h"

#define USER_SESSIONS_MAX 20 /* of one user; a further one ends the longest unused */
#define USER_AGENT_MAX    200

/* What is RETURNING of a session that ends: its id, and until when (unix s) nginx would let
 * its claims in. */
#define USER_SESSION_ENDED "id, ceil(extract(epoch FROM access_until))::bigint"

struct user_session_new {
    const char *org;
    const char *user;
    const char *hash; /* of the password that was shown, which must still be it; NULL: any */
    const char *address;
    const char *agent;
};

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

/* DB_FAILED: there is no such active user. *ended: one too many, in whose place it is. */
enum db_status user_session_start(struct db *db, const struct config *config,
                                  const struct user_session_new *from, struct user_session *session,
                                  PGresult **ended);
/* *alive false: it is over, or was ended now because `nonce` is an old one. */
enum db_status user_session_renew(struct db *db, const struct config *config, const char *id,
                                  const char *nonce, bool *alive, struct user_session *session,
                                  PGresult **ended);
/* Where it acts from its next claims on. DB_FAILED: no such organisation, or the user is
 * no superadmin. NULL: at home. */
enum db_status user_session_act(struct db *db, const char *id, const char *acting_org);
/* No row: it is not this user's, or is over already. user NULL: anybody's. */
enum db_status user_session_end(struct db *db, const char *org, const char *user, const char *id,
                                const char *why, PGresult **ended);
/* All of a user but `except` (may be NULL). */
enum db_status user_sessions_end(struct db *db, const char *org, const char *user,
                                 const char *except, const char *why, PGresult **ended);
/* The same in the open transaction, in which the user's row is locked: a session that is
 * just being made waits for that, or is seen here. */
enum db_status user_sessions_end_in(struct db *db, const char *org, const char *user,
                                    const char *except, const char *why, PGresult **ended);
/* As db_end(), of the transaction in which they ended; *ended is NULL unless DB_OK. */
enum db_status user_sessions_commit(struct db *db, enum db_status status, PGresult **ended);

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
