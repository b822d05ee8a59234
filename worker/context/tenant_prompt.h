/* Tenant prompt: what an organisation's prompts say of it. Pure. */
#ifndef FD_CONTEXT_TENANT_PROMPT_H
#define FD_CONTEXT_TENANT_PROMPT_H

#include "context/prompt.h"
#include "llm/provider.h"
#include "tenant/tenant.h"

/* All but context and question, which are the turn's. `tools` are those that are offered. */
struct prompt_values tenant_prompt(struct arena *a, const struct tenant *tenant,
                                   const struct llm_tool *tools, size_t tool_count,
                                   const char *language, int64_t now_ms);

#endif
