/*
 * Tool support: which models have no tools of their own, as the configuration says or
 * as their provider once answered, and need the prompt protocol. Remembered for the
 * life of the process. Loop thread.
 */
#ifndef FD_LLM_TOOL_SUPPORT_H
#define FD_LLM_TOOL_SUPPORT_H

#include "llm/provider.h"

#define TOOL_SUPPORT_MODELS 64

struct tool_support {
    const char *configured; /* model ids, separated by commas or spaces; NULL = none */
    uint64_t learnt[TOOL_SUPPORT_MODELS];
    size_t count; /* all that were learnt; the oldest make room */
};

bool tool_support_native(const struct tool_support *support, const char *endpoint,
                         const char *model);
void tool_support_learn(struct tool_support *support, const char *endpoint, const char *model);
/* The provider refused the request because of its tools. */
bool tool_support_refused(const struct llm_error *error);

#endif
