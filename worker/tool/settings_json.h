/* Settings, as JSON: what the admin API and `frontdesk tool --json` both answer. */
#ifndef FD_TOOL_SETTINGS_JSON_H
#define FD_TOOL_SETTINGS_JSON_H

#include "tool/settings.h"
#include "tool/trial.h"

/* The members of a row of tools_list(), of tools_executions(), into the open object. */
void tools_write(struct fd_json_writer *w, const PGresult *rows, int row);
void tools_write_execution(struct fd_json_writer *w, const PGresult *rows, int row);
/* A test run: an object. */
void tools_write_test(struct fd_json_writer *w, const struct trial *test);

#endif
