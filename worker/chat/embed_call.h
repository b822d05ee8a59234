/*
 * Embed call: one request for vectors, to the organisation's own server (net/outbound.h where it
 * gave the URL) or to the platform's; and what it is charged.
 */
#ifndef FD_CHAT_EMBED_CALL_H
#define FD_CHAT_EMBED_CALL_H

#include "chat/answer.h"
#include "chat/engine.h"
#include "llm/embedding.h"

struct embed_target {
    const char *provider;
    const char *url; /* "https://api.openai.com/v1" */
    const char *api_key;
    const char *model;
    int dimensions;   /* 0: the model's own */
    const char *name; /* of the vectors: "text-embedding-3-small/512"; in the arena */
    bool own_key;
    bool guarded;
};

/* Who embeds for the organisation; false: nobody. Points into the tenant and the
 * configuration. */
bool embed_target_of(struct arena *a, const struct config *config, const struct tenant *tenant,
                     struct embed_target *target);

struct embed_result {
    const struct embedding_vectors *vectors; /* NULL: it failed; gone when on_end returns */
    char error[192];                         /* why, without the server's words */
    int64_t retry_after_s;                   /* 0 = not said */
    bool fault;                              /* the server's, for its breaker */
    bool charged;                            /* it may have done its work, and count it */
};

struct embed_call; /* valid until on_end or embed_call_cancel() */

typedef void embed_end_fn(void *arg, const struct embed_result *result);

/* On the loop. Never calls back from inside. NULL: it cannot be sent. */
struct embed_call *embed_call_start(struct engine *engine, const struct embed_target *target,
                                    const char *const *inputs, size_t count, int total_ms,
                                    embed_end_fn *on_end, void *arg);
void embed_call_cancel(struct embed_call *call);
/* The same for a pool thread or a command: on_end is called before it returns. */
void embed_call_perform(const struct config *config, const struct embed_target *target,
                        const char *const *inputs, size_t count, int total_ms, embed_end_fn *on_end,
                        void *arg);

/* A question is asked for too often to be reserved: under a cap its model has to have a price,
 * and there has to be room. */
bool embed_may_spend(const struct tenant *tenant, const char *model);
/* What a call cost: as its server counted, else as `estimated` - also one that came to nothing
 * after it was sent, or was hung up on (result NULL), as the server may have counted it. False:
 * nothing. */
bool embed_cost(const struct embed_target *target, const struct embed_result *result,
                int64_t estimated, struct answer_attempt *attempt);

#endif
