
/*
 * The graceful end of a process (reload, quit): each open stream is told to
 * come back and ends, spread over a second; its client resumes by the last id
 * on the process that is there by then.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_stream.h"
#include "ngx_http_frontdesk_stream_state.h"


#define NGX_HTTP_FRONTDESK_DRAIN_STEP   50
#define NGX_HTTP_FRONTDESK_DRAIN_STEPS  20
#define NGX_HTTP_FRONTDESK_DRAIN_WAIT   500


typedef struct {
    ngx_uint_t                 resumable;
    ngx_uint_t                 others;    /* are waited for */
} ngx_http_frontdesk_drain_t;


static void ngx_http_frontdesk_drain_notice(ngx_event_t *ev);
static void ngx_http_frontdesk_drain_handler(ngx_event_t *ev);
static void ngx_http_frontdesk_drain_count(ngx_http_frontdesk_stream_t *s,
    void *data);
static void ngx_http_frontdesk_drain_end(ngx_http_frontdesk_stream_t *s,
    void *data);


static ngx_event_t  ngx_http_frontdesk_drain_timer;
static ngx_uint_t   ngx_http_frontdesk_drain_step;
static ngx_uint_t   ngx_http_frontdesk_drain_begun;


/*
 * nginx calls the read handlers of idle connections when it begins to exit.
 * Those to Redis may be down just then, so a socket of our own waits for that.
 */

ngx_int_t
ngx_http_frontdesk_drain_init(ngx_cycle_t *cycle)
{
    ngx_socket_t       s;
    ngx_connection_t  *c;

    /* not cancelable: the process stays until all have been told */
    ngx_http_frontdesk_drain_timer.handler = ngx_http_frontdesk_drain_handler;
    ngx_http_frontdesk_drain_timer.data = &ngx_http_frontdesk_drain_timer;
    ngx_http_frontdesk_drain_timer.log = cycle->log;

    s = ngx_socket(AF_UNIX, SOCK_STREAM, 0);

    if (s == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_socket_errno,
                      ngx_socket_n " failed");
        return NGX_ERROR;
    }

    c = ngx_get_connection(s, cycle->log);

    if (c == NULL) {
        (void) ngx_close_socket(s);
        return NGX_ERROR;
    }

    c->idle = 1;
    c->read->handler = ngx_http_frontdesk_drain_notice;
    c->read->log = cycle->log;
    c->write->log = cycle->log;

    return NGX_OK;
}


ngx_uint_t
ngx_http_frontdesk_draining(void)
{
    return ngx_http_frontdesk_drain_begun;
}


void
ngx_http_frontdesk_drain_wait(void)
{
    if (!ngx_http_frontdesk_drain_timer.timer_set) {
        ngx_add_timer(&ngx_http_frontdesk_drain_timer,
                      NGX_HTTP_FRONTDESK_DRAIN_WAIT);
    }
}


void
ngx_http_frontdesk_stream_drain(void)
{
    if (ngx_http_frontdesk_drain_begun) {
        return;
    }

    ngx_http_frontdesk_drain_begun = 1;

    ngx_http_frontdesk_drain_handler(&ngx_http_frontdesk_drain_timer);
}


static void
ngx_http_frontdesk_drain_notice(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    ngx_close_connection(c);

    ngx_http_frontdesk_stream_drain();
}


static void
ngx_http_frontdesk_drain_handler(ngx_event_t *ev)
{
    ngx_uint_t                  n;
    ngx_http_frontdesk_drain_t  left;

    ngx_memzero(&left, sizeof(ngx_http_frontdesk_drain_t));
    ngx_http_frontdesk_pulse_each(ngx_http_frontdesk_drain_count, &left);

    n = left.resumable;

    if (n == 0) {

        /* without a timer of ours nginx would exit under their feet */

        if (left.others) {
            ngx_http_frontdesk_drain_wait();
        }

        return;
    }

    /* the rest of them in the rest of the second */

    if (ngx_http_frontdesk_drain_step < NGX_HTTP_FRONTDESK_DRAIN_STEPS) {
        n /= NGX_HTTP_FRONTDESK_DRAIN_STEPS - ngx_http_frontdesk_drain_step;
        ngx_http_frontdesk_drain_step++;
    }

    n = ngx_max(n, 1);
    ngx_http_frontdesk_pulse_each(ngx_http_frontdesk_drain_end, &n);

    ngx_add_timer(ev, NGX_HTTP_FRONTDESK_DRAIN_STEP);
}


/* who cannot come back for the rest is waited for */

static void
ngx_http_frontdesk_drain_count(ngx_http_frontdesk_stream_t *s, void *data)
{
    ngx_http_frontdesk_drain_t *left = data;

    if (ngx_http_frontdesk_stream_resumes(s)) {
        left->resumable++;

    } else {
        left->others++;
    }
}


static void
ngx_http_frontdesk_drain_end(ngx_http_frontdesk_stream_t *s, void *data)
{
    ngx_uint_t *n = data;

    if (*n && ngx_http_frontdesk_stream_resumes(s)) {
        (*n)--;
        ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                      NGX_HTTP_FRONTDESK_CLOSE_RELOAD);
    }
}
