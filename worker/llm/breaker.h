/*
 * Breaker: stops asking a provider that keeps failing, and tries it again with one
 * request at a time. Pure: the caller brings the time.
 */
#ifndef FD_LLM_BREAKER_H
#define FD_LLM_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct llm_breaker {
    unsigned failures;  /* in a row */
    int64_t open_until; /* monotonic ms; 0 = closed */
    int64_t open_ms;    /* of the last opening: doubles up to a bound */
    bool probing;       /* half open: one request is out */
};

/* May a request go now? True while half open for the one probe. */
bool llm_breaker_allows(struct llm_breaker *breaker, int64_t now_ms);
void llm_breaker_success(struct llm_breaker *breaker);
/* Only failures that are the provider's: connect, timeout, overload, cut, auth, quota. */
void llm_breaker_failure(struct llm_breaker *breaker, int64_t now_ms);
/* The probe's fate is unknown (cancelled): let another go. */
void llm_breaker_abandon(struct llm_breaker *breaker);

#endif
