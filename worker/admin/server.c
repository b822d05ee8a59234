#include "admin/server.h"

#include "admin/exchange.h"
#include "admin/feed.h"
#include "admin/gate.h"
#include "admin/identity.h"
#include "admin/mailer.h"
#include "admin/meters.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/pool.h"
#include "db/db.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 16384
#define IDLE_S      75 /* of nginx's kept connection; longer than nginx keeps it */
#define METRICS_MAX 1048576
#define POLL_MS     100  /* of the drain */
#define FLUSH_MS    2000 /* for the last replies to get out */

/* -- what is there beside the API --------------------------------------------------------- */

static void reply(struct evhttp_request *http, int status, const char *type, const struct buf *body)
{
    struct evbuffer *out = evbuffer_new();

    if (out == NULL || evbuffer_add(out, body->data, body->len) != 0)
        abort();
    evhttp_add_header(evhttp_request_get_output_headers(http), "Content-Type", type);
    evhttp_send_reply(http, status, NULL, out);
    evbuffer_free(out);
}

/* What nginx passes on, which has its token, is for the API, whatever libevent makes of the
 * path: this here is for processes that may open the socket themselves. */
static bool is_of_nginx(struct evhttp_request *http)
{
    return evhttp_find_header(evhttp_request_get_input_headers(http), IDENTITY_TOKEN_HEADER) !=
               NULL ||
           evhttp_uri_get_host(evhttp_request_get_evhttp_uri(http)) != NULL;
}

static void on_metrics(struct evhttp_request *http, void *arg)
{
    struct server *server = arg;
    struct buf body;

    if (is_of_nginx(http)) {
        exchange_start(server, http);
        return;
    }
    buf_init(&body, METRICS_MAX);
    metric_set(admin_meters.running, NULL, (double)server->open);
    metric_set(admin_meters.pool_queue, NULL, (double)pool_queued(server->pool));
    metrics_print(&body);
    reply(http, 200, "text/plain; version=0.0.4", &body);
    buf_free(&body);
}

static void on_health(struct evhttp_request *http, void *arg)
{
    struct server *server = arg;
    struct buf body;

    if (is_of_nginx(http)) {
        exchange_start(server, http);
        return;
    }
    buf_init(&body, 256);
    buf_printf(&body, "{\"status\":\"%s\",\"running\":%zu}\n", server->draining ? "draining" : "ok",
               server->open);
    reply(http, server->draining ? 503 : 200, "application/json", &body);
    buf_free(&body);
}

static void on_request(struct evhttp_request *http, void *arg)
{
    exchange_start(arg, http);
}

/* -- life --------------------------------------------------------------------------------- */

static void *open_db(void *arg)
{
    const struct server *server = arg;
    return db_new(server->config->database_url, "frontdesk admin");
}

static void close_db(void *resource)
{
    db_free(resource);
}

static bool token_is_good(const struct config *config, char error[256])
{
    if (config->admin_token != NULL && strlen(config->admin_token) >= IDENTITY_TOKEN_MIN)
        return true;
    snprintf(error, 256,
             "FRONTDESK_ADMIN_TOKEN, or the file that FRONTDESK_ADMIN_TOKEN_FILE names, must hold "
             "%d random characters or more, the same that nginx sends",
             IDENTITY_TOKEN_MIN);
    return false;
}

static void serve_http(struct server *server)
{
    struct evhttp *http = evhttp_new(loop_base(server->loop));

    server->http = http;
    server->socket =
        http != NULL ? evhttp_accept_socket_with_handle(http, server->listener.fd) : NULL;
    if (server->socket == NULL)
        abort();
    server->listener.fd = -1; /* the socket's now */
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
                                         EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE |
                                         EVHTTP_REQ_OPTIONS);
    evhttp_set_max_headers_size(http, HEADERS_MAX);
    evhttp_set_max_body_size(http, EXCHANGE_RAW_MAX);
    evhttp_set_timeout(http, IDLE_S);
    evhttp_set_cb(http, "/metrics", on_metrics, server);
    evhttp_set_cb(http, "/healthz", on_health, server);
    evhttp_set_gencb(http, on_request, server);
}

/* What nginx sent before it saw the socket go is served as well. */
static void drain(void *arg)
{
    struct server *server = arg;
    int64_t now = clock_mono_ms();
    bool late = now >= server->drain_until;

    if (server->open > 0)
        server->quiet_until = now + FLUSH_MS;
    bool flushing = server->sending > 0 && now < server->quiet_until;
    if ((server->open > 0 || flushing) && !late) {
        timer_set(server->drain, POLL_MS);
        return;
    }
    if (late && server->open > 0)
        log_warn(NULL, "admin.drain_cut", LOG_INT("requests", server->open));
    loop_stop(server->loop);
}

struct server *server_new(struct loop *loop, const struct config *config, char error[256])
{
    struct listener listener;

    if (!token_is_good(config, error) || !mailer_is_whole(config, error) ||
        !listen_open(&listener, config->admin_listen, error))
        return NULL;
    struct server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        abort();
    server->config = config;
    server->loop = loop;
    server->listener = listener;
    server->drain = timer_new(loop, drain, server);
    server->gate = gate_new(config->admin_threads);
    server->pool = pool_new(loop, config->admin_threads,
                            (struct pool_thread_hooks){open_db, close_db, server});
    if (server->pool == NULL)
        abort();
    admin_meters_register();
    server->feeds = feeds_new(server);
    server->mailer = mailer_new(loop, server->pool, config);
    serve_http(server);
    return server;
}

void server_drain(struct server *server)
{
    if (server->draining) {
        loop_stop(server->loop);
        return;
    }
    server->draining = true;
    server->drain_until = clock_mono_ms() + server->config->drain_ms;
    server->quiet_until = clock_mono_ms() + FLUSH_MS;
    evhttp_del_accept_socket(server->http, server->socket);
    server->socket = NULL;
    listen_close(&server->listener);
    feeds_stop(server->feeds);
    if (server->mailer != NULL)
        mailer_stop(server->mailer);
    timer_set(server->drain, POLL_MS);
}

void server_free(struct server *server)
{
    pool_free(server->pool);
    feeds_free(server->feeds);
    mailer_free(server->mailer);
    gate_free(server->gate);
    timer_free(server->drain);
    evhttp_free(server->http);
    listen_close(&server->listener);
    free(server);
}
