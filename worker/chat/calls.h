/*
 * Calls: nginx's short questions (protocol/call.h), read from fd:calls with slots of
 * their own, so that a queue of chats does not hold them up. Each delivery is the
 * only one (NOACK): who asked has given up by the time another worker would notice.
 */
#ifndef FD_CHAT_CALLS_H
#define FD_CHAT_CALLS_H

#include "chat/engine.h"

struct calls;

struct calls *calls_new(struct engine *engine); /* NULL: the address is no address */
void calls_free(struct calls *calls);           /* after the pool */
void calls_stop(struct calls *calls);           /* reads no more */

#endif
