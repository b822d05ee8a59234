/* Meters: what a worker counts and measures (OPS-3); registered once at start. */
#ifndef FD_CHAT_METERS_H
#define FD_CHAT_METERS_H

#include "core/metrics.h"

struct meters {
    struct metric *jobs;            /* by outcome */
    struct metric *running;         /* by state */
    struct metric *first_token;     /* seconds from acceptance */
    struct metric *answer_time;     /* seconds from acceptance to the commit */
    struct metric *provider_errors; /* by class */
    struct metric *tokens;          /* by direction */
    struct metric *taken_over;
    struct metric *calls; /* by operation */
    struct metric *queue_length;
    struct metric *queue_age; /* seconds of the oldest entry */
    struct metric *redis_up;
    struct metric *redis_pending;
    struct metric *redis_seconds; /* round trip of the last heartbeat */
    struct metric *pool_queue;
    struct metric *sync_failures;
};

extern struct meters meters;

void meters_register(void);

#endif
