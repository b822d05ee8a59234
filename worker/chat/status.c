#include "chat/status.h"

#include "core/address.h"
#include "core/buf.h"
#include "core/loop.h"
#include "core/metrics.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define METRICS_MAX 1048576

struct status {
    struct engine *engine;
    struct evhttp *http;
    char path[108]; /* of the socket; "" = none */
};

static void reply(struct evhttp_request *request, int code, const char *type, const char *data,
                  size_t len)
{
    struct evbuffer *body = evbuffer_new();
    if (body == NULL || evbuffer_add(body, data, len) != 0) {
        evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
    } else {
        evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", type);
        evhttp_send_reply(request, code, code == 200 ? "OK" : "Service Unavailable", body);
    }
    if (body != NULL)
        evbuffer_free(body);
}

static void on_metrics(struct evhttp_request *request, void *arg)
{
    struct buf out;
    (void)arg;
    buf_init(&out, METRICS_MAX);
    metrics_print(&out);
    reply(request, 200, "text/plain; version=0.0.4", out.data != NULL ? out.data : "", out.len);
    buf_free(&out);
}

/* Able to take jobs: what a supervisor or a load balancer wants to know. */
static void on_health(struct evhttp_request *request, void *arg)
{
    const struct engine *engine = ((struct status *)arg)->engine;
    bool jobs = redis_up(engine->jobs);
    bool live = redis_up(engine->live);
    bool ready = jobs && live && engine->shards > 0 && !engine->draining;
    char json[256];
    int len = snprintf(json, sizeof(json),
                       "{\"status\":\"%s\",\"worker\":\"%s\",\"jobs\":%s,\"live\":%s,"
                       "\"running\":%zu,\"slots\":%d}\n",
                       engine->draining ? "draining"
                       : ready          ? "ok"
                                        : "starting",
                       engine->name, jobs ? "true" : "false", live ? "true" : "false",
                       engine->job_count, engine->config->job_slots);
    reply(request, ready ? 200 : 503, "application/json", json, (size_t)len);
}

/* evhttp knows no unix sockets: it gets one that listens. */
static bool listen_unix(struct status *status, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return false;
    unlink(path); /* of an earlier life: the crumb's lock says that it is over */
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 64) == 0 &&
        evhttp_accept_socket(status->http, fd) == 0) {
        snprintf(status->path, sizeof(status->path), "%s", path);
        return true;
    }
    int why = errno;
    close(fd);
    errno = why;
    return false;
}

struct status *status_new(struct engine *engine, char error[256])
{
    const char *listen_at = engine->config->metrics_listen;
    struct address address;
    error[0] = '\0';
    if (listen_at == NULL || *listen_at == '\0')
        return NULL;
    if (!address_parse(listen_at, &address)) {
        snprintf(error, 256,
                 "FRONTDESK_METRICS_LISTEN is \"%s\"; unix:/path or IP:port would be right",
                 listen_at);
        return NULL;
    }
    struct status *status = calloc(1, sizeof(*status));
    if (status == NULL)
        abort();
    status->engine = engine;
    status->http = evhttp_new(loop_base(engine->loop));
    if (status->http == NULL)
        abort();
    evhttp_set_allowed_methods(status->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_max_headers_size(status->http, 8192);
    evhttp_set_max_body_size(status->http, 0);
    evhttp_set_timeout(status->http, 10);
    evhttp_set_cb(status->http, "/metrics", on_metrics, status);
    evhttp_set_cb(status->http, "/healthz", on_health, status);
    bool ok = address.is_unix
                  ? listen_unix(status, address.host)
                  : evhttp_bind_socket(status->http, address.host, (ev_uint16_t)address.port) == 0;
    if (!ok) {
        snprintf(error, 256, "cannot listen on %s: %s", listen_at, strerror(errno));
        status_free(status);
        return NULL;
    }
    return status;
}

void status_free(struct status *status)
{
    if (status == NULL)
        return;
    evhttp_free(status->http);
    if (status->path[0] != '\0')
        unlink(status->path);
    free(status);
}
