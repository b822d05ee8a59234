/*
 * Trace: what a command changed for an organisation leaves a row in its audit log, as what is
 * changed by the admin API does: which words, and who typed them.
 */
#ifndef FD_CMD_TRACE_H
#define FD_CMD_TRACE_H

#include "core/config.h"

/* "cli:<unix user>", for the rows of commands that write their own. */
const char *trace_actor(void);
/* The organisation that the command is about: cmd_find_org() says it, and whoever finds it
 * otherwise. */
void trace_org(const char *org);
/* Once it has ended, with its arguments as it ordered them: "tool --org ID set NAME". Writes
 * nothing for one that only shows. */
void trace_write(const struct config *config, int argc, char *const *argv, int status);

#endif
