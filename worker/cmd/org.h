/* Org: --org NAME of a command, by name or id. */
#ifndef FD_CMD_ORG_H
#define FD_CMD_ORG_H

#include "core/config.h"
#include "db/db.h"

#include <stdbool.h>

/* Exactly one, because a name may be shared. False: what is wrong was said. */
bool cmd_find_org(struct db *db, const char *command, const char *given, char org[37]);
/* Tells Redis of a change of its limits; that it cannot is a warning: a worker will. */
void cmd_publish_org(struct db *db, const struct config *config, const char *org);
/* What PostgreSQL or an operation said; returns 1. */
int cmd_complain(const char *command, const struct db *db);

#endif
