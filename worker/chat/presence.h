/*
 * Presence: which operators look at a conversation. Live Redis remembers it for half a minute,
 * so that a page that is gone is forgotten without a word; a page says it again meanwhile.
 */
#ifndef FD_CHAT_PRESENCE_H
#define FD_CHAT_PRESENCE_H

#include "chat/news.h"

#define PRESENCE_LIFE_MS 30000
#define PRESENCE_MAX     20 /* names that are told */

/* {conversation_id, operators: [name]}, as it is then; NULL: error says why. Blocking. */
const char *presence_look(const char *live_redis, struct arena *a, const char *org,
                          const char *conversation, const char *actor, const char *name,
                          bool leaves, char error[256]);

#endif
