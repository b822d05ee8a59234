#include "admin/follower.h"

#include "admin/admin.h"
#include "admin/feed.h"
#include "core/clock.h"
#include "core/log.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO "retry: 2000\n\n" /* ms until a client that was cut off comes again */

static void on_close(struct evhttp_connection *connection, void *arg);

/* Nothing comes from the client, so that only writing can stall. */
static bool open_answer(struct follower *f)
{
    static const struct timeval stall = {.tv_sec = FOLLOWER_STALL_S};
    struct evhttp_connection *connection = evhttp_request_get_connection(f->http);

    if (connection == NULL)
        return false;
    evhttp_connection_set_closecb(connection, on_close, f);
    bufferevent_set_timeouts(evhttp_connection_get_bufferevent(connection), NULL, &stall);
    evhttp_send_reply_start(f->http, 200, NULL);
    return true;
}

struct follower *follower_new(struct server *server, struct evhttp_request *http,
                              const struct admin_request *request, int64_t life_ms)
{
    struct follower *f = calloc(1, sizeof(*f));
    if (f == NULL)
        abort();
    f->server = server;
    f->http = http;
    f->since_ms = clock_mono_ms();
    f->until_ms = f->since_ms + life_ms;
    snprintf(f->org, sizeof(f->org), "%s", request->org);
    snprintf(f->actor, sizeof(f->actor), "%s", request->actor);
    snprintf(f->session, sizeof(f->session), "%s", request->session ? request->session : "");
    snprintf(f->request_id, sizeof(f->request_id), "%s",
             request->request_id != NULL ? request->request_id : "");
    if (!open_answer(f)) {
        evhttp_send_reply_end(http);
        free(f);
        return NULL;
    }
    follower_write(f, HELLO, sizeof(HELLO) - 1);
    return f;
}

static void report(const struct follower *f, const char *why)
{
    const struct log_context ctx = {.request_id = f->request_id, .org_id = f->org};

    log_info(&ctx, "admin.events_end", LOG_STR("actor", f->actor), LOG_STR("why", why),
             LOG_INT("ms", clock_mono_ms() - f->since_ms), LOG_INT("bytes", f->bytes));
}

/* A request that its connection let go of is ours to free, else the connection's. */
static void on_close(struct evhttp_connection *connection, void *arg)
{
    struct follower *f = arg;
    struct evhttp_request *http = f->http;

    (void)connection;
    f->http = NULL;
    if (evhttp_request_get_connection(http) == NULL)
        evhttp_send_reply_end(http);
    report(f, "closed");
    feed_leave(f);
}

static size_t unread(const struct follower *f)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(f->http);

    return evbuffer_get_length(
        bufferevent_get_output(evhttp_connection_get_bufferevent(connection)));
}

static void put(struct follower *f, const char *frames, size_t len)
{
    struct evbuffer *out = evbuffer_new();

    if (out == NULL || evbuffer_add(out, frames, len) != 0)
        abort();
    f->bytes += len;
    evhttp_send_reply_chunk(f->http, out);
    evbuffer_free(out);
}

void follower_write(struct follower *f, const char *frames, size_t len)
{
    if (f->http == NULL)
        return;
    if (unread(f) + len > FOLLOWER_UNREAD_MAX)
        follower_end(f, "slow");
    else
        put(f, frames, len);
}

static void on_sent(struct evhttp_request *http, void *arg)
{
    struct server *server = arg;

    (void)http;
    server->sending--;
}

void follower_end(struct follower *f, const char *why)
{
    struct evhttp_request *http = f->http;
    char frame[96];

    if (http == NULL)
        return;
    int len = snprintf(frame, sizeof(frame), "event: end\ndata: {\"reason\":\"%s\"}\n\n", why);
    put(f, frame, (size_t)len);
    f->http = NULL;
    evhttp_connection_set_closecb(evhttp_request_get_connection(http), NULL, NULL);
    f->server->sending++;
    evhttp_request_set_on_complete_cb(http, on_sent, f->server);
    evhttp_send_reply_end(http);
    report(f, why);
    feed_leave(f);
}

void follower_free(struct follower *f)
{
    free(f);
}
