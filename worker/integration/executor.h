/*
 * Executor: runs the calls of endpoints and queries for tool/tool.h. What waits for the
 * network waits on the loop; PostgreSQL is asked on the worker's pool; a client's own
 * database on threads that nothing else needs.
 */
#ifndef FD_INTEGRATION_EXECUTOR_H
#define FD_INTEGRATION_EXECUTOR_H

#include "tool/tool.h"

struct integrations; /* one a loop */
struct outbound;
struct pool;
struct redis;

struct integrations_options {
    struct loop *loop;
    struct pool *pool;
    struct db *(*db_of)(void *resource); /* of the pool's threads */
    struct outbound *outbound;
    struct redis *live;         /* the cache */
    const bool *live_pressed;   /* it takes no more */
    const char *vault_keys;     /* FRONTDESK_VAULT_KEYS */
    const char *outbound_allow; /* FRONTDESK_OUTBOUND_ALLOW */
};

struct integrations *integrations_new(const struct integrations_options *options);
/* After every call was cancelled, and the pool and the Redis connection are gone. */
void integrations_free(struct integrations *integrations);

/* For TOOL_ENDPOINT and TOOL_QUERY. */
struct tool_executor integrations_executor(struct integrations *integrations);

#endif
