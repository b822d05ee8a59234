
/*
 * The reader of a job's events, by the rules of the hand-off: a message of the
 * channel is written if it is the next one; whatever is missing is pulled from
 * the stream, once the client has taken what it has.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/event.h"
#include "protocol/ids.h"
#include "protocol/keys.h"

#include "ngx_http_frontdesk_admission.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_stream_state.h"


#define NGX_HTTP_FRONTDESK_PULL          64
#define NGX_HTTP_FRONTDESK_PULL_TEXT     "64"


static void ngx_http_frontdesk_reader_take(ngx_http_frontdesk_stream_t *s,
    struct fd_event *event, u_char *frame, size_t len);
static void ngx_http_frontdesk_reader_first(ngx_http_frontdesk_stream_t *s);
static ngx_int_t ngx_http_frontdesk_reader_store(
    ngx_http_frontdesk_stream_t *s, struct fd_event *event, u_char *frame,
    size_t len);
static void ngx_http_frontdesk_reader_range(ngx_http_frontdesk_stream_t *s,
    ngx_str_t *argv, u_char *from);
static void ngx_http_frontdesk_reader_pulled(void *data, redisReply *reply);
static ngx_uint_t ngx_http_frontdesk_reader_batch(
    ngx_http_frontdesk_stream_t *s, redisReply *reply);
static redisReply *ngx_http_frontdesk_reader_frame(redisReply *entry);


void
ngx_http_frontdesk_reader_offer(ngx_http_frontdesk_stream_t *s,
    struct fd_event *event, u_char *frame, size_t len)
{
    if (fd_event_id_compare(event->id, s->announced) > 0) {
        s->announced = event->id;
    }

    ngx_http_frontdesk_pulse_heard(s);

    if (!s->unproven && !ngx_http_frontdesk_reader_busy(s)) {
        ngx_http_frontdesk_reader_take(s, event, frame, len);
    }
}


static void
ngx_http_frontdesk_reader_take(ngx_http_frontdesk_stream_t *s,
    struct fd_event *event, u_char *frame, size_t len)
{
    switch (fd_event_judge(s->last, event->id)) {

    case FD_EVENT_IGNORE:
        return;

    case FD_EVENT_BEHIND:
        ngx_http_frontdesk_reader_pull(s);
        return;

    case FD_EVENT_WRITE:
        break;
    }

    s->last = event->id;
    s->stuck = 0;

    ngx_http_frontdesk_reader_first(s);

    ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_EVENTS);

    if (ngx_http_frontdesk_reader_store(s, event, frame, len) != NGX_OK) {
        ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                      NGX_HTTP_FRONTDESK_CLOSE_ERROR);
        return;
    }

    if (fd_event_terminal(event->type)) {
        ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_EVENT,
                                      NGX_HTTP_FRONTDESK_CLOSE_DONE);
        return;
    }

    ngx_http_frontdesk_flush_touch(s);
}


/* an event of a session, which comes when it comes, measures nothing */

static void
ngx_http_frontdesk_reader_first(ngx_http_frontdesk_stream_t *s)
{
    ngx_http_frontdesk_ctx_t  *ctx;

    ctx = s->ctx;

    if (ctx->events++ || s->follows) {
        return;
    }

    ngx_http_frontdesk_admission_settle(ctx);

    ctx->first_byte_ms = ngx_current_msec - ctx->started;
    ngx_http_frontdesk_observe(NGX_HTTP_FRONTDESK_TIME_FIRST_EVENT,
                               ctx->first_byte_ms);
}


/* a client that asked for JSON sees the last event only */

static ngx_int_t
ngx_http_frontdesk_reader_store(ngx_http_frontdesk_stream_t *s,
    struct fd_event *event, u_char *frame, size_t len)
{
    ngx_str_t  data;

    if (s->ctx->chat.stream) {
        return s->ctx->openai ? ngx_http_frontdesk_chunk_store(s, event)
                              : ngx_http_frontdesk_output_append(s, frame, len);
    }

    if (!fd_event_terminal(event->type)) {
        return NGX_OK;
    }

    data.data = (u_char *) event->data;
    data.len = event->data_len;

    s->type = event->type;
    s->answer.len = data.len;
    s->answer.data = ngx_pstrdup(s->request->pool, &data);

    return s->answer.data ? NGX_OK : NGX_ERROR;
}


/* a client that is behind, or will be in a moment */

ngx_uint_t
ngx_http_frontdesk_reader_busy(ngx_http_frontdesk_stream_t *s)
{
    return s->op || s->end || s->blocked
           || s->size > NGX_HTTP_FRONTDESK_STREAM_OUT;
}


ngx_uint_t
ngx_http_frontdesk_reader_behind(ngx_http_frontdesk_stream_t *s)
{
    return s->more
           || (!s->stuck && fd_event_id_compare(s->announced, s->last) > 0);
}


void
ngx_http_frontdesk_reader_pull(ngx_http_frontdesk_stream_t *s)
{
    ngx_str_t  argv[6];
    u_char     key[sizeof(FD_KEY_SESSION_EVENTS) + FD_JOB_ID_SIZE];
    u_char     from[FD_EVENT_ID_SIZE + 1];

    if (!s->open || ngx_http_frontdesk_reader_busy(s)) {
        return;
    }

    if (!s->job->subscribed) {

        /* it pulls once it is, which may be long from now */

        if (!ngx_http_frontdesk_redis_up(NGX_HTTP_FRONTDESK_LIVE)
            && !s->ctx->chat.stream)
        {
            ngx_http_frontdesk_reader_failed(s);
        }

        return;
    }

    if (s->unproven) {
        ngx_http_frontdesk_replay(s);
        return;
    }

    argv[1].data = key;
    argv[1].len = ngx_sprintf(key, s->follows ? FD_KEY_SESSION_EVENTS
                                              : FD_KEY_EVENTS, s->job->id)
                  - key;

    ngx_http_frontdesk_reader_range(s, argv, from);

    s->op = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                                             ngx_http_frontdesk_reader_pulled,
                                             s, 6, argv);
    if (s->op == NULL) {
        ngx_http_frontdesk_reader_failed(s);
        return;
    }

    ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_PULLS);
}


static void
ngx_http_frontdesk_reader_range(ngx_http_frontdesk_stream_t *s,
    ngx_str_t *argv, u_char *from)
{
    ngx_str_set(&argv[4], "COUNT");

    if (s->late) {
        ngx_str_set(&argv[0], "XREVRANGE");
        ngx_str_set(&argv[2], "+");
        ngx_str_set(&argv[3], "-");
        ngx_str_set(&argv[5], "1");
        return;
    }

    ngx_str_set(&argv[0], "XRANGE");

    if (s->last.epoch == 0) {
        ngx_str_set(&argv[2], "-");

    } else {
        from[0] = '(';
        argv[2].data = from;
        argv[2].len = 1 + fd_event_id_format((char *) from + 1, s->last);

        /* the first time `last` is the client's word: is it the end? */

        if (s->resumed) {
            argv[2].data++;
            argv[2].len--;
        }
    }

    ngx_str_set(&argv[3], "+");
    ngx_str_set(&argv[5], NGX_HTTP_FRONTDESK_PULL_TEXT);
}


/*
 * A client that has come back is better off with coming back once more, and one
 * that waits for a whole answer hears nothing meanwhile: it may ask again, with
 * its idempotency key.  An open stream goes on, pings tell that it lives.
 */

void
ngx_http_frontdesk_reader_failed(ngx_http_frontdesk_stream_t *s)
{
    if (s->lazy || !s->ctx->chat.stream) {
        ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_LATER,
                                      NGX_HTTP_FRONTDESK_CLOSE_ERROR);
        return;
    }

    ngx_http_frontdesk_pulse_again(s);
}


static void
ngx_http_frontdesk_reader_pulled(void *data, redisReply *reply)
{
    ngx_uint_t                    n;
    ngx_http_frontdesk_stream_t  *s = data;

    s->op = NULL;

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        ngx_http_frontdesk_reader_failed(s);
        return;
    }

    if (s->follows) {
        ngx_http_frontdesk_follow_meet(s, reply);
    }

    n = ngx_http_frontdesk_reader_batch(s, reply);

    s->resumed = 0;
    s->more = (n == NGX_HTTP_FRONTDESK_PULL || n < reply->elements);

    if (s->end || s->more) {
        return;
    }

    if (s->finished) {
        ngx_http_frontdesk_replay(s);
        return;
    }

    if (s->lazy) {
        s->lazy = 0;
        ngx_http_frontdesk_flush_touch(s);
    }

    if (fd_event_id_compare(s->announced, s->last) > 0 && !s->stuck) {

        /* announced, but not there: is anything left of the job? */

        s->stuck = 1;
        ngx_http_frontdesk_replay_check(s);
    }
}


/* how many entries were dealt with */

static ngx_uint_t
ngx_http_frontdesk_reader_batch(ngx_http_frontdesk_stream_t *s,
    redisReply *reply)
{
    ngx_uint_t        i;
    redisReply       *frame;
    struct fd_event   event;

    for (i = 0; i < reply->elements; i++) {

        if (!ngx_http_frontdesk_reader_entry(s, reply->element[i], &event,
                                             &frame))
        {
            continue;
        }

        if (s->resumed && fd_event_id_compare(event.id, s->last) == 0
            && fd_event_terminal(event.type))
        {
            ngx_http_frontdesk_stream_end(s, NGX_HTTP_FRONTDESK_END_READ,
                                          NGX_HTTP_FRONTDESK_CLOSE_DONE);
            break;
        }

        if (fd_event_judge(s->last, event.id) == FD_EVENT_WRITE) {
            ngx_http_frontdesk_reader_take(s, &event, (u_char *) frame->str,
                                           frame->len);
        }

        if (ngx_http_frontdesk_reader_busy(s)) {
            return i + 1;
        }
    }

    return i;
}


ngx_uint_t
ngx_http_frontdesk_reader_entry(ngx_http_frontdesk_stream_t *s,
    redisReply *entry, struct fd_event *event, redisReply **frame)
{
    *frame = ngx_http_frontdesk_reader_frame(entry);

    if (*frame && fd_event_parse((*frame)->str, (*frame)->len, event)) {
        return 1;
    }

    ngx_log_error(NGX_LOG_ERR, s->request->connection->log, 0,
                  "frontdesk: invalid entry of %s \"%V\"",
                  s->follows ? "session" : "job", &s->job->node.str);

    return 0;
}


/* an entry is its id and a list of fields and values */

static redisReply *
ngx_http_frontdesk_reader_frame(redisReply *entry)
{
    ngx_uint_t   i;
    redisReply  *fields, *name;

    if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2
        || entry->element[1]->type != REDIS_REPLY_ARRAY)
    {
        return NULL;
    }

    fields = entry->element[1];

    for (i = 0; i + 1 < fields->elements; i += 2) {
        name = fields->element[i];

        if (name->type == REDIS_REPLY_STRING && name->len == 1
            && name->str[0] == 'f'
            && fields->element[i + 1]->type == REDIS_REPLY_STRING)
        {
            return fields->element[i + 1];
        }
    }

    return NULL;
}
