/*
 * Lease: the heartbeat of a worker and its jobs, and the taking over of jobs whose
 * worker is gone (handoff: "The worker").
 */
#ifndef FD_CHAT_LEASE_H
#define FD_CHAT_LEASE_H

#include "chat/engine.h"

struct lease;

struct lease *lease_new(struct engine *engine);
void lease_free(struct lease *lease);
void lease_start(struct lease *lease);   /* shards are known */
void lease_jobs_up(struct lease *lease); /* from the jobs connection's on_up */

/* Takes one pending entry over, whoever has it, if it is idle for min_idle_ms: a
 * new epoch. The job starts once Redis has answered. */
void lease_take(struct engine *engine, const char *shard, const char *entry, int64_t min_idle_ms);
/* Removes a pending entry whose body is gone or is none of ours. */
void lease_discard(struct engine *engine, const char *shard, const char *entry, const char *why);

/* Gives every job back, so that another worker may take it at once; then calls fn. */
void lease_leave(struct lease *lease, void (*fn)(void *arg), void *arg);

#endif
