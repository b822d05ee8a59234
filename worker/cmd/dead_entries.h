/*
 * Dead_entries: what stood in the queue and could not be read as a job. It is in no
 * organisation's rows, so fd:dead is its only record.
 */
#ifndef FD_CMD_DEAD_ENTRIES_H
#define FD_CMD_DEAD_ENTRIES_H

#include "core/config.h"

#include <stdbool.h>

/* The shape of such an entry's id, which no job's id has. */
bool dead_entry_id(const char *id);
/* Both print what went wrong and return the command's status. */
int dead_entries_list(const struct config *config);
int dead_entries_drop(const struct config *config, const char *id);

#endif
