
/*
 * A session that is followed: what its reader does that a job's does not.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/event.h"
#include "protocol/ids.h"

#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_stream_state.h"


static void ngx_http_frontdesk_follow_sync(ngx_http_frontdesk_stream_t *s,
    struct fd_event_id at);


void
ngx_http_frontdesk_follow_pass(ngx_http_frontdesk_stream_t *s, u_char *frame,
    size_t len)
{
    if (s->lazy || ngx_http_frontdesk_reader_busy(s)
        || ngx_http_frontdesk_reader_behind(s))
    {
        return;
    }

    if (ngx_http_frontdesk_output_append(s, frame, len) != NGX_OK) {
        ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                      NGX_HTTP_FRONTDESK_CLOSE_ERROR);
        return;
    }

    ngx_http_frontdesk_flush_touch(s);
}


/*
 * The reader and what there is of the session's events.  Where they do not meet
 * - the reader is new, was away for too long, or Redis lost them - a `sync`
 * tells to read the history, and what is there follows.
 */

void
ngx_http_frontdesk_follow_meet(ngx_http_frontdesk_stream_t *s,
    redisReply *reply)
{
    redisReply       *frame;
    struct fd_event   first;

    ngx_memzero(&first, sizeof(struct fd_event));

    if (reply->elements
        && !ngx_http_frontdesk_reader_entry(s, reply->element[0], &first,
                                            &frame))
    {
        return;
    }

    if (s->late) {
        s->late = 0;
        s->last = first.id;

        ngx_http_frontdesk_follow_sync(s, first.id);
        return;
    }

    if (s->resumed
        ? fd_event_id_compare(first.id, s->last) == 0
        : (reply->elements == 0
           || fd_event_judge(s->last, first.id) != FD_EVENT_BEHIND))
    {
        return;
    }

    /* the one before the first; of an epoch before where it begins one */

    s->last = first.id;

    if (s->last.n) {
        s->last.n--;

    } else if (s->last.epoch) {
        s->last.epoch--;
    }

    /* what was announced meanwhile is still to come; a lost epoch is not */

    if (s->announced.epoch > first.id.epoch) {
        s->announced = s->last;
    }

    ngx_memzero(&first.id, sizeof(struct fd_event_id));
    ngx_http_frontdesk_follow_sync(s, first.id);
}


/* with the id that the client is at, or without one: 0-0 */

static void
ngx_http_frontdesk_follow_sync(ngx_http_frontdesk_stream_t *s,
    struct fd_event_id at)
{
    u_char  *p;
    u_char   id[sizeof("id: \n") + FD_EVENT_ID_SIZE];

    p = id;

    if (at.epoch) {
        p = ngx_cpymem(p, "id: ", 4);
        p += fd_event_id_format((char *) p, at);
        *p++ = '\n';
    }

    if (ngx_http_frontdesk_output_append(s, id, p - id) != NGX_OK
        || ngx_http_frontdesk_output_append(s, (u_char *) FD_EVENT_SYNC_FRAME,
                                         sizeof(FD_EVENT_SYNC_FRAME) - 1)
           != NGX_OK)
    {
        ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                      NGX_HTTP_FRONTDESK_CLOSE_ERROR);
        return;
    }

    ngx_http_frontdesk_flush_touch(s);
}
