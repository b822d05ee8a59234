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
    struct metric *tools;             /* calls of tools, by how they ended */
    struct metric *claims;            /* actions that an answer claimed and no tool confirmed */
    struct metric *citations;         /* ids that answers wrote in brackets */
    struct metric *language_mismatch; /* answers in another language than asked for */
    struct metric *refused;           /* answers that a cap refused, by cap */
    struct metric *cache;             /* questions that could be answered from it, by outcome */
    struct metric *embeddings;        /* batches of sections, by outcome */
    struct metric *meaning;           /* questions by whether their meaning was searched for */
    struct metric *meaning_time;      /* seconds until their vector came */
    struct metric *vectors_bytes;
    struct metric *sentiment; /* messages that a model was to rate, by what became of it */
    struct metric *summaries; /* steps of summaries, by what became of them */
    struct metric *deleted;   /* by what it was */
    struct metric *housekeeping_failures;
    struct metric *alerts_pending;
    struct metric *alerts_delivered;   /* by outcome */
    struct metric *channel_deliveries; /* the same */
};

extern struct meters meters;

void meters_register(void);

#endif
