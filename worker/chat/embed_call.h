/*
 * Embed call: one request for vectors, on the loop: to the organisation's own server
 * (net/outbound.h where it gave the URL) or to the platform's.
 */
#ifndef FD_CHAT_EMBED_CALL_H
#define FD_CHAT_EMBED_CALL_H

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
};

struct embed_call; /* valid until on_end or embed_call_cancel() */

/* Never calls back from inside. NULL: it cannot be sent. */
struct embed_call *embed_call_start(struct engine *engine, const struct embed_target *target,
                                    const char *const *inputs, size_t count, int total_ms,
                                    void (*on_end)(void *arg, const struct embed_result *result),
                                    void *arg);
void embed_call_cancel(struct embed_call *call);

#endif
