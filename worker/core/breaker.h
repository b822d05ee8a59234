/*
 * Breaker: stops asking a server that keeps failing (a model's provider, a tool's
 * webhook), and tries it again with one request at a time. Pure: the caller brings
 * the time.
 */
#ifndef FD_CORE_BREAKER_H
#define FD_CORE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct breaker {
    unsigned failures;  /* in a row */
    int64_t open_until; /* monotonic ms; 0 = closed */
    int64_t open_ms;    /* of the last opening: doubles up to a bound */
    bool probing;       /* half open: one request is out */
};

/* May a request go now? True while half open for the one probe. */
bool breaker_allows(struct breaker *breaker, int64_t now_ms);
/* For a request that nobody needs: it asks for no probe. */
bool breaker_is_closed(const struct breaker *breaker);
void breaker_success(struct breaker *breaker);
/* Only failures that are the server's: connect, timeout, overload, cut, auth, quota. */
void breaker_failure(struct breaker *breaker, int64_t now_ms);
/* The probe's fate is unknown (cancelled): let another go. */
void breaker_abandon(struct breaker *breaker);

#endif
