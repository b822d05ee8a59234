/* Endpoint_trial: the test run of an endpoint or a query (tool/trial.h). Blocks: for pool threads
 * and commands. */
#ifndef FD_INTEGRATION_ENDPOINT_TRIAL_H
#define FD_INTEGRATION_ENDPOINT_TRIAL_H

#include "core/config.h"
#include "tool/trial.h"

/* By its name, switched on or off. problem->field: it was not run; "name": there is none.
 * DB_FAILED with db_error(): the credentials do not open. */
enum db_status endpoints_test(struct db *db, const struct config *config, struct arena *a,
                              const char *org, const char *name, const char *arguments,
                              struct trial *test, struct tool_problem *problem);

#endif
