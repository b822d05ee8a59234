/*
 * Rollup: what is counted of conversations and of tools (ADM-6), kept for ever and made
 * before what it is made of grows old (retention.h).
 */
#ifndef FD_TENANT_ROLLUP_H
#define FD_TENANT_ROLLUP_H

#include "db/db.h"

#include <stdbool.h>

/* Counts some conversations that changed; *more: not all of them. */
enum db_status rollup_conversations(struct db *db, bool *more);
/* Decides of some whose last word is seven days old whether that was the end of it. */
enum db_status rollup_resolutions(struct db *db, bool *more);
/* Counts the last days of every organisation whose tools ran in them. */
enum db_status rollup_tools(struct db *db);

#endif
