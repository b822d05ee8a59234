/*
 * Bounds: how many of a thing an organisation may have. They are far above what one needs: room
 * and time are everybody's. The statement that makes one counts those there are.
 */
#ifndef FD_TENANT_BOUNDS_H
#define FD_TENANT_BOUNDS_H

#include "db/db.h"

#define BOUND_KEYS       100  /* that work */
#define BOUND_ROTATED    200  /* of them, with those that run out: a rotation needs both */
#define BOUND_USERS      1000 /* whatever their status: they stay for the audit log's sake */
#define BOUND_TEAMS      500
#define BOUND_TEST_CASES 1000
#define BOUND_ARTICLES   5000
#define BOUND_TOOLS      200

#define BOUND_TEXT_(value) #value
#define BOUND_TEXT(value)  BOUND_TEXT_(value) /* within a statement */

/* Explains that there are as many as there may be; DB_CONFLICT. */
enum db_status bound_reached(struct db *db, int most, const char *what);

#endif
