
/*
 * GET /api/v1/sessions/:id/events: what happens to a conversation beside its
 * answers - an operator's message, who has it - while the client stays.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/ids.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_events.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_session.h"
#include "ngx_http_frontdesk_stream.h"
#include "ngx_http_frontdesk_stream_state.h"


/* tabs of one visitor that this process streams to */
#define NGX_HTTP_FRONTDESK_SESSION_STREAMS  16


ngx_int_t
ngx_http_frontdesk_session_events_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t           rc;
    struct fd_event_id  last;

    rc = ngx_http_discard_request_body(r);

    if (rc == NGX_OK) {
        rc = ngx_http_frontdesk_session_check(r, ctx, &ctx->id, NULL);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_frontdesk_events_last(r, &last);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_frontdesk_job_crowd(&ctx->session)
        >= NGX_HTTP_FRONTDESK_SESSION_STREAMS)
    {
        return ngx_http_frontdesk_fail(r, FD_PROBLEM_CONCURRENCY, NULL,
                                       "too many streams of this session are "
                                       "open");
    }

    ctx->chat.stream = true;

    ngx_http_frontdesk_park(r);
    ngx_http_frontdesk_stream_follow(r, ctx, last);

    return NGX_DONE;
}
