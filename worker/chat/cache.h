/*
 * Cache: an answer given again (ENG-8). The question is identical - NFC (Unicode UAX #15),
 * trimmed, white space collapsed, case kept - and so are organisation, model, context and
 * settings, within five minutes. The question makes the key; a digest of all the rest lies in
 * the value, so that the look-up need not wait for them. Whoever asks first holds the lead
 * while it answers: the same question from elsewhere waits for it instead of asking the model.
 */
#ifndef FD_CHAT_CACHE_H
#define FD_CHAT_CACHE_H

#include "core/arena.h"
#include "llm/provider.h"
#include "net/redis.h"
#include "protocol/ids.h"

#include <stdbool.h>

#define CACHE_TEXT_MAX 32768 /* bytes of an answer that is kept */

/* The key of an org's question, and of who leads. */
void cache_key(char key[FD_SHA256_HEX_SIZE], const char *org, const char *question, size_t len);
/* All that else makes two requests the same; `request` but for the question. False: it is
 * too long to be kept. */
bool cache_digest(char digest[FD_SHA256_HEX_SIZE], const struct llm_request *request,
                  const char *provider, const char *model);

struct cached_answer {
    const char *digest;
    const char *text;
};

/* Asks for the answer and, where nobody has it, for the lead: on_answer is called first,
 * then on_lead. False as redis_command(). */
bool cache_ask(struct redis *live, const char *key, const char *job, redis_reply_fn *on_answer,
               redis_reply_fn *on_lead, void *arg);
/* False: there is none, or none that can be read. Strings in `a`. */
bool cache_read(struct arena *a, const redisReply *reply, struct cached_answer *answer);

enum cache_lead {
    CACHE_LEADS,   /* the lead is ours: others wait for us */
    CACHE_FOLLOWS, /* somebody has it */
    CACHE_ALONE    /* live Redis cannot tell: nobody waits for anybody */
};
/* The reply to the lead; what the leader answers, once it is known, into `leader`. */
enum cache_lead cache_lead(const redisReply *reply, char leader[FD_SHA256_HEX_SIZE]);
/* Tells followers what is being answered. */
void cache_lead_on(struct redis *live, const char *key, const char *digest);
void cache_let_go(struct redis *live, const char *key);

void cache_store(struct redis *live, const char *key, const char *digest, const char *text,
                 size_t len, int life_ms);

#endif
