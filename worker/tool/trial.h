/*
 * Trial: a tool that an operator tries out: for real, and logged, and what was sent and came
 * back is shown to him. Blocks: for pool threads and commands.
 */
#ifndef FD_TOOL_TRIAL_H
#define FD_TOOL_TRIAL_H

#include "tool/set.h"
#include "tool/wire.h"

struct trial {
    const char *allow; /* as outbound_new() takes it */
    const char *language;
    char request_id[48];
    struct tool_result result;
    struct wire wire;
};

/* A webhook of the organisation's, enabled or not. problem->field: it was not run; "name": there
 * is none. */
enum db_status tools_test(struct db *db, struct arena *a, const char *org, const char *name,
                          const char *arguments, struct trial *test, struct tool_problem *problem);

/* What a trial of any kind is made of: for whom it is; what it is given, or a problem; its row. */
struct tool_context trial_context(const char *org, struct trial *test);
bool trial_arguments(const struct tool *tool, const char *arguments,
                     const struct tool_context *context, struct arena *a, const char **complete,
                     struct tool_problem *problem);
enum db_status trial_note(struct db *db, const char *org, const struct tool *tool,
                          const char *arguments, const struct trial *test);

#endif
