#include "net/http_multi.h"
#include "core/log.h"

#include <stdlib.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#define IDLE_CONNECTIONS 256 /* kept for the next request to a provider */

/* A socket of curl's. Never tied to a transfer: curl may hand it to another one. */
struct watch {
    struct http_multi *multi;
    struct event event;
};

static void drain(struct http_multi *multi)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi->curl, &left)) != NULL) {
        /* the message does not outlive the removal of its handle */
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;

        if (message->msg == CURLMSG_DONE)
            multi->on_done(easy, code);
    }
}

static void act(struct http_multi *multi, curl_socket_t socket, int what)
{
    int running;
    CURLMcode code = curl_multi_socket_action(multi->curl, socket, what, &running);

    if (code != CURLM_OK)
        log_error(NULL, "http.multi_failed", LOG_STR("why", curl_multi_strerror(code)));
    drain(multi);
}

static void on_socket_event(evutil_socket_t fd, short what, void *arg)
{
    struct watch *watch = arg; /* may be gone after act() */

    act(watch->multi, fd,
        ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
            ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void on_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static struct watch *watch_new(struct http_multi *multi)
{
    struct watch *watch = calloc(1, sizeof(*watch));

    if (watch == NULL) {
        log_error(NULL, "http.no_memory");
        abort(); /* refusing a socket would end every transfer there is */
    }
    watch->multi = multi;
    return watch;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct http_multi *multi = arg;
    struct watch *watch = socket_arg;
    short events = EV_PERSIST;

    (void)easy;
    if (watch != NULL)
        event_del(&watch->event);
    if (what == CURL_POLL_REMOVE) {
        free(watch);
        curl_multi_assign(multi->curl, fd, NULL);
        return 0;
    }
    if (watch == NULL) {
        watch = watch_new(multi);
        curl_multi_assign(multi->curl, fd, watch);
    }
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= EV_READ;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= EV_WRITE;
    event_assign(&watch->event, loop_base(multi->loop), fd, events, on_socket_event, watch);
    if (event_add(&watch->event, NULL) != 0)
        log_error(NULL, "http.event_failed");
    return 0;
}

/* No call of curl in here: it would recurse. */
static int on_curl_timer(CURLM *curl, long ms, void *arg)
{
    struct http_multi *multi = arg;

    (void)curl;
    if (ms < 0)
        timer_stop(multi->timer);
    else
        timer_set(multi->timer, ms);
    return 0;
}

void http_multi_step(struct http_multi *multi)
{
    act(multi, CURL_SOCKET_TIMEOUT, 0);
}

bool http_multi_init(struct http_multi *multi, struct loop *loop,
                     void (*on_done)(CURL *easy, CURLcode code))
{
    *multi = (struct http_multi){.loop = loop, .on_done = on_done};
    multi->curl = curl_multi_init();
    if (multi->curl == NULL)
        return false;
    multi->timer = timer_new(loop, on_timer, multi);
    curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
    curl_multi_setopt(multi->curl, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(multi->curl, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
    return true;
}

void http_multi_free(struct http_multi *multi)
{
    curl_multi_cleanup(multi->curl); /* closes idle connections: on_socket() is called */
    timer_free(multi->timer);
}
