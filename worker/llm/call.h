/*
 * Call: one request to one endpoint, on the loop - the codec of provider.h joined
 * with net/http.h, or the built-in provider's text in small pieces. No retry here:
 * that is the job's decision (retry.h).
 */
#ifndef FD_LLM_CALL_H
#define FD_LLM_CALL_H

#include "llm/endpoint.h"

struct http_client;
struct loop;
struct outbound;
struct llm_call; /* valid until on_end or llm_call_cancel() */

struct llm_call_options {
    struct llm_endpoint *endpoint;     /* outlives the call; its breaker is told the outcome */
    struct outbound *outbound;         /* for an endpoint that is guarded; else may be NULL */
    const struct llm_request *request; /* needed only during llm_call_start() */
    int connect_ms, first_ms, idle_ms, total_ms;
    bool aside; /* the breaker is told nothing: it is about the calls that are needed */
    /* Events as they come; arg's owner may call llm_call_cancel() in here. */
    void (*on_event)(void *arg, const struct llm_event *event);
    /* The body's bytes before they are decoded, of a refusal as well; NULL: nobody wants them.
     * Nothing may be cancelled in here. */
    void (*on_raw)(void *arg, const char *bytes, size_t len);
    /* error->class LLM_ERROR_NONE: finish is set. usage fields may be -1. */
    void (*on_end)(void *arg, const struct llm_error *error, enum llm_finish finish,
                   const struct llm_usage *usage);
    void *arg;
};

/* NULL: it could not be made (error filled); no callback will come. Never calls back
 * from inside. */
struct llm_call *llm_call_start(struct loop *loop, struct http_client *http,
                                const struct llm_call_options *options, struct llm_error *error);
/* Closes the upstream connection; no callback comes any more. */
void llm_call_cancel(struct llm_call *call);

#endif
