/*
 * Own endpoints: the model server that an organisation brought itself, in place of the
 * platform's (ENG-1). Kept over reloads of its settings, so that its breaker remembers; held
 * by whoever has calls out. On the loop.
 */
#ifndef FD_CHAT_OWN_ENDPOINTS_H
#define FD_CHAT_OWN_ENDPOINTS_H

#include "chat/engine.h"

struct own_endpoints;

struct own_endpoints *own_endpoints_new(void);
void own_endpoints_free(struct own_endpoints *own);

/* The organisation's, or the platform's where it has none; until own_endpoints_release(). */
struct llm_endpoints *own_endpoints_hold(struct engine *engine, const struct tenant *tenant);
/* NULL and the platform's are fine. */
void own_endpoints_release(struct engine *engine, struct llm_endpoints *endpoints);

/* What is known of the tools of their models: what one organisation's server says of itself is
 * learnt for that organisation alone. */
struct tool_support *own_endpoints_tools(struct engine *engine, struct llm_endpoints *endpoints);

/* The same without the keeping, for a command: into `own`, to be freed. A key that cannot be
 * opened leads nowhere: no call is made with another's. */
bool own_endpoints_make(const struct tenant *tenant, struct llm_endpoints *own);

#endif
