#include "admin/stream.h"

#include "admin/admin.h"
#include "admin/gate.h"
#include "core/pool.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>

#define RETRY_MS 100 /* where the pool is full */

struct stream {
    struct server *server;
    struct evhttp_request *http; /* NULL: the client is gone */
    struct admin_request *request;
    struct admin_reply *reply;
    stream_end_fn *end;
    void *arg;
    struct timer *retry;
    struct gate_pass part; /* as quick requests have one */
    uint64_t bytes;
    bool working; /* a thread makes the next part */
    enum admin_rest_status made;
};

static void on_sent(struct evhttp_request *http, void *arg)
{
    struct server *server = arg;

    (void)http;
    server->sending--;
}

static void on_close(struct evhttp_connection *connection, void *arg);

/* Without the last chunk the client knows that something is missing. */
static void leave_client(struct stream *s, bool whole)
{
    struct evhttp_request *http = s->http;
    struct evhttp_connection *connection =
        http != NULL ? evhttp_request_get_connection(http) : NULL;

    s->http = NULL;
    if (connection != NULL)
        evhttp_connection_set_closecb(connection, NULL, NULL);
    if (connection != NULL && !whole) {
        evhttp_connection_free(connection);
    } else if (http != NULL) {
        s->server->sending++;
        evhttp_request_set_on_complete_cb(http, on_sent, s->server);
        evhttp_send_reply_end(http);
    }
}

static void finish(struct stream *s, bool whole)
{
    leave_client(s, whole);
    timer_free(s->retry);
    s->end(s->arg, s->bytes, whole);
    free(s);
}

static void make(void *resource, void *arg)
{
    struct stream *s = arg;

    s->request->db = resource;
    buf_reset(&s->reply->body);
    s->made = s->reply->rest.next(s->request, s->reply);
    if (s->reply->body.over)
        s->made = ADMIN_REST_FAILED;
}

static void send_part(struct stream *s);

static void made(void *arg, bool ran)
{
    struct stream *s = arg;

    s->working = false;
    gate_leave(s->server->gate, &s->part);
    if (!ran || s->http == NULL || s->made == ADMIN_REST_FAILED)
        finish(s, false);
    else
        send_part(s);
}

static void submit(void *arg)
{
    struct stream *s = arg;

    s->working = pool_submit(s->server->pool, make, made, s);
    if (s->working)
        return;
    gate_leave(s->server->gate, &s->part);
    timer_set(s->retry, RETRY_MS);
}

static void make_next(void *arg)
{
    struct stream *s = arg;

    s->working = true;
    if (gate_enter(s->server->gate, &s->part) == GATE_IN)
        return;
    s->working = false;
    timer_set(s->retry, RETRY_MS);
}

static void on_taken(struct evhttp_connection *connection, void *arg)
{
    (void)connection;
    make_next(arg);
}

static void send_part(struct stream *s)
{
    struct evbuffer *out = evbuffer_new();
    const struct buf *body = &s->reply->body;
    bool last = s->made == ADMIN_REST_DONE;

    if (out == NULL || evbuffer_add(out, body->data, body->len) != 0)
        abort();
    s->bytes += body->len;
    if (last)
        evhttp_send_reply_chunk(s->http, out);
    else if (body->len > 0)
        evhttp_send_reply_chunk_with_cb(s->http, out, on_taken, s);
    else
        make_next(s);
    evbuffer_free(out);
    if (last)
        finish(s, true);
}

/* A request that its connection let go of is ours to free, else the connection's. */
static void on_close(struct evhttp_connection *connection, void *arg)
{
    struct stream *s = arg;
    struct evhttp_request *http = s->http;

    (void)connection;
    s->http = NULL;
    if (evhttp_request_get_connection(http) == NULL)
        evhttp_send_reply_end(http);
    if (!s->working)
        finish(s, false);
}

void stream_start(struct server *server, struct evhttp_request *http, struct admin_request *request,
                  struct admin_reply *reply, stream_end_fn *end, void *arg)
{
    struct stream *s = calloc(1, sizeof(*s));
    if (s == NULL)
        abort();
    *s = (struct stream){.server = server,
                         .http = http,
                         .request = request,
                         .reply = reply,
                         .end = end,
                         .arg = arg,
                         .made = ADMIN_REST_MORE};
    s->part = (struct gate_pass){.org = request->org, .kind = GATE_QUICK, .go = submit, .arg = s};
    s->retry = timer_new(server->loop, make_next, s);
    struct evhttp_connection *connection = evhttp_request_get_connection(http);
    if (connection == NULL) {
        evhttp_send_reply_end(http);
        s->http = NULL;
        finish(s, false);
        return;
    }
    evhttp_connection_set_closecb(connection, on_close, s);
    evhttp_send_reply_start(http, reply->status, NULL);
    send_part(s);
}
