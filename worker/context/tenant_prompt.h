/* Tenant prompt: what an organisation's prompts say of it. Pure. */
#ifndef FD_CONTEXT_TENANT_PROMPT_H
#define FD_CONTEXT_TENANT_PROMPT_H

#include "context/prompt.h"
#include "tenant/tenant.h"
#include "tool/tool.h"

/* All but context and question, which are the turn's. `tools` may be NULL. */
struct prompt_values tenant_prompt(struct arena *a, const struct tenant *tenant,
                                   const struct tool_set *tools, const char *language,
                                   int64_t now_ms);

#endif
