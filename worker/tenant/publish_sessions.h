/*
 * Publish_sessions: which sessions are over although nginx would let their claims in: into
 * FD_KEY_ENDED on the live server, and to every nginx process as a hint. Part of publish.h's
 * synchronisation, which rebuilds the set.
 */
#ifndef FD_TENANT_PUBLISH_SESSIONS_H
#define FD_TENANT_PUBLISH_SESSIONS_H

#include "core/config.h"
#include "db/db.h"
#include "tenant/publish_redis.h"

/* Rows of platform_ended_sessions(). */
void publish_ended(struct publisher *p, const PGresult *sessions);
/* In the open transaction; org NULL: all. */
enum db_status publish_read_ended(struct db *db, const char *org, PGresult **sessions);

struct ended_session {
    char id[37];
    int64_t access_until; /* unix s: so long nginx would let its claims in */
};

struct ended_sessions {
    size_t count;
    struct ended_session at[];
};

/* Of rows of USER_SESSION_ENDED (tenant/user_sessions.h), which may be NULL: none. */
struct ended_sessions *ended_sessions_copy(struct arena *a, const PGresult *rows);
/* At once: those that ended now, and are committed. False: error says why; a worker does it when
 * it synchronises. */
bool publish_sessions(const struct config *config, const struct ended_sessions *ended,
                      char error[256]);

#endif
