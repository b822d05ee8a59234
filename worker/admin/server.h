/*
 * Server: the life of `frontdesk admin` - it listens, hands requests to the pool, and on
 * SIGTERM lets those that run end. Loop thread.
 */
#ifndef FD_ADMIN_SERVER_H
#define FD_ADMIN_SERVER_H

#include "admin/listen.h"
#include "core/config.h"
#include "core/loop.h"

#include <stdint.h>

struct evhttp;
struct evhttp_bound_socket;
struct feeds;
struct gate;
struct mailer;
struct pool;

struct server {
    const struct config *config;
    struct loop *loop;
    struct pool *pool; /* its threads hold a struct db */
    struct gate *gate;
    struct feeds *feeds;
    struct mailer *mailer; /* NULL: no links are mailed */
    struct evhttp *http;
    struct evhttp_bound_socket *socket; /* NULL: it listens no more */
    struct listener listener;
    size_t open;    /* requests in work, those that were told 504 too */
    size_t sending; /* replies that are on their way; one whose client left stays counted */
    size_t bytes;   /* of their bodies */
    bool draining;
    int64_t drain_until; /* monotonic ms */
    int64_t quiet_until; /* so long the last replies may take */
    struct timer *drain;
};

/* NULL: it cannot start; error says why. The configuration outlives it and has the
 * token itself, not the name of its file. */
struct server *server_new(struct loop *loop, const struct config *config, char error[256]);
/* Listens no more: another process may take the address. Stops the loop once no request
 * runs, or after drain_ms; at once the second time. */
void server_drain(struct server *server);
/* Waits for the handlers that still run. */
void server_free(struct server *server);

#endif
