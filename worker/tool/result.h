/* Result: how a call that did not succeed is told to the model. Pure. */
#ifndef FD_TOOL_RESULT_H
#define FD_TOOL_RESULT_H

#include "tool/tool.h"

/* {"error":{"code","message","retryable"}}, in the arena. code NULL: the failure's name;
 * message NULL: the failure's own sentence, which for a write that got a 5xx in
 * result->status says that it may have happened. A write is never retryable then. */
void tool_result_fail(struct tool_result *result, struct arena *a, enum tool_failure failure,
                      enum tool_risk risk, const char *code, const char *message);
void tool_result_error(struct tool_result *result, struct arena *a, enum tool_failure failure,
                       const char *code, const char *message, bool retryable);

#endif
