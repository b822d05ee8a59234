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

/* At once, after a change in one organisation: reads what was committed. False: error says
 * why; a worker does it when it synchronises. */
bool publish_sessions(struct db *db, const struct config *config, const char *org, char error[256]);

#endif
