
/*
 * Requests that wait for somebody else: Redis, or a worker's answer.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_park.h"


void
ngx_http_frontdesk_park(ngx_http_request_t *r)
{
    ngx_event_t  *rev;

    r->main->count++;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    /* the client may have left while its body was read: no event tells again */

    rev = r->connection->read;

    if (rev->ready || rev->pending_eof) {
        ngx_post_event(rev, &ngx_posted_events);
    }
}


void
ngx_http_frontdesk_resume(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_connection_t  *c;

    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


ngx_int_t
ngx_http_frontdesk_park_phase(ngx_http_request_t *r)
{
    ngx_event_t  *rev;

    rev = r->connection->read;

    /* let an abort be noticed, and nothing else happen */

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    if (rev->ready) {
        ngx_post_event(rev, &ngx_posted_events);
        return NGX_OK;
    }

    return ngx_handle_read_event(rev, 0);
}
