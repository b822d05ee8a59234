/*
 * Sweep: looks every few seconds for calls of tools that were decided elsewhere
 * (decision.h), runs those that an operator approved and tells their conversations.
 */
#ifndef FD_CHAT_SWEEP_H
#define FD_CHAT_SWEEP_H

#include "chat/engine.h"

struct sweep;

struct sweep *sweep_new(struct engine *engine);
void sweep_stop(struct sweep *sweep);       /* takes no more; what runs may end */
bool sweep_busy(const struct sweep *sweep); /* something runs, or may be taken yet */
void sweep_free(struct sweep *sweep);       /* after the pool; NULL is fine */

#endif
