/*
 * Memory: a conversation's last messages (ENG-7), an hour in live Redis, with
 * PostgreSQL behind it. The list there is either whole or absent: only what is
 * known to be complete is appended to.
 */
#ifndef FD_CONTEXT_MEMORY_H
#define FD_CONTEXT_MEMORY_H

#include "context/summary.h"
#include "route/route.h"
#include "core/arena.h"
#include "llm/provider.h"
#include "net/redis.h"

#include <stdbool.h>

#define MEMORY_MESSAGES 20

/* The session's summary and its list: on_summary is called first, then on_list. False as
 * redis_command(). */
bool memory_read(struct redis *live, const char *org, const char *session,
                 redis_reply_fn *on_summary, redis_reply_fn *on_list, void *arg);
/* False: it is not known whether there is one. */
bool memory_parse_summary(struct arena *a, const redisReply *reply, struct summary *summary);
/* The list's reply: false where there is nothing, or nothing that can be read. */
bool memory_parse(struct arena *a, const redisReply *reply, struct llm_message **messages,
                  size_t *count, struct route_last *last);

/* Writes the list and the summary anew, from PostgreSQL. */
void memory_seed(struct redis *live, const char *org, const char *session,
                 const struct llm_message *messages, size_t count, const struct route_last *last,
                 const struct summary *summary);
/* A newer summary. */
void memory_summarise(struct redis *live, const char *org, const char *session,
                      const struct summary *summary);
/* Adds a turn; `whole` the session is known to have no earlier message, so that
 * the list may begin with this one. answer "" = there was none; `last` of it. */
void memory_append(struct redis *live, const char *org, const char *session, const char *question,
                   const char *answer, const struct route_last *last, bool whole);
void memory_forget(struct redis *live, const char *org, const char *session);

/* The texts' tokens, estimated. Pure. */
int64_t memory_tokens(const struct llm_message *messages, size_t count);

#endif
