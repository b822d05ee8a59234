
/*
 * Private interface between the files of the frontdesk module.
 *
 * One concern a file: the prototypes below are grouped by the file that has
 * them.  Everything a file keeps to itself is static there.
 */


#ifndef _NGX_HTTP_FRONTDESK_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/chat_request.h"
#include "protocol/event.h"
#include "protocol/ids.h"
#include "protocol/json.h"
#include "protocol/limits.h"
#include "protocol/problem.h"
#include "protocol/scripts.h"


typedef struct ngx_http_frontdesk_ctx_s  ngx_http_frontdesk_ctx_t;


/* an API key as fd:key holds it; strings are in the request's pool */

typedef struct {
    u_char                     sha256[32];
    ngx_str_t                  org;         /* uuid */
    ngx_str_t                  id;          /* uuid */
    enum fd_key_kind           kind;
    int64_t                    generation;
    ngx_str_t                  origins;     /* space separated */
    time_t                     expires;     /* 0 = never */
} ngx_http_frontdesk_key_t;


typedef enum {
    NGX_HTTP_FRONTDESK_JOBS = 0,
    NGX_HTTP_FRONTDESK_LIVE,
    NGX_HTTP_FRONTDESK_ROLES
} ngx_http_frontdesk_role_e;


typedef struct {
    ngx_str_t                  url;         /* as configured, for logs */
    ngx_addr_t                *addr;        /* unix or numeric */
    ngx_str_t                  password;
} ngx_http_frontdesk_redis_conf_t;


typedef struct {
    ngx_http_frontdesk_redis_conf_t  redis[NGX_HTTP_FRONTDESK_ROLES];
    ngx_shm_zone_t            *zone;

    /* admission, see admit.lua */
    ngx_int_t                  queue_length;
    size_t                     queue_bytes;
    ngx_int_t                  session_rate;   /* messages a minute */
    ngx_int_t                  start_rate;     /* an hour and address */
    ngx_int_t                  read_rate;      /* light requests a minute
                                                  and address, this host */

    ngx_msec_t                 redis_timeout;  /* of one command */
    ngx_msec_t                 key_ttl;
    ngx_msec_t                 negative_ttl;
    size_t                     max_body;
} ngx_http_frontdesk_main_conf_t;


typedef enum {
    NGX_HTTP_FRONTDESK_OFF = 0,
    NGX_HTTP_FRONTDESK_API,
    NGX_HTTP_FRONTDESK_ASSETS,
    NGX_HTTP_FRONTDESK_HEALTHZ,
    NGX_HTTP_FRONTDESK_READYZ,
    NGX_HTTP_FRONTDESK_METRICS
} ngx_http_frontdesk_service_e;


typedef struct {
    ngx_uint_t                 service;        /* ..._service_e */
    ngx_str_t                  assets;         /* directory */
    ngx_msec_t                 heartbeat;
    ngx_msec_t                 retry;          /* of SSE's retry: field */
} ngx_http_frontdesk_loc_conf_t;


/*
 * A route: method and path below /api/v1, what it asks of the key, and its
 * handler, which is called once the key is known (ctx->key) unless the route
 * takes its key from the body.
 */

typedef ngx_int_t (*ngx_http_frontdesk_handler_pt)(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);

#define NGX_HTTP_FRONTDESK_KEY_IN_BODY   0x01  /* client_api_key counts */
#define NGX_HTTP_FRONTDESK_KEY_IN_QUERY  0x02  /* a publishable key may
                                                  stand in the query */
#define NGX_HTTP_FRONTDESK_LIGHT         0x04  /* read_rate applies, the
                                                  cached key is enough */
#define NGX_HTTP_FRONTDESK_STALE_OK      0x08  /* and may be stale while
                                                  Redis is away */

typedef struct {
    ngx_uint_t                     method;     /* NGX_HTTP_POST ... */
    ngx_str_t                      pattern;    /* "chat/:id/events" */
    ngx_uint_t                     flags;
    ngx_http_frontdesk_handler_pt  handler;
} ngx_http_frontdesk_route_t;


/* how a stream ended, for $frontdesk_close and the counters */

typedef enum {
    NGX_HTTP_FRONTDESK_CLOSE_NONE = 0,
    NGX_HTTP_FRONTDESK_CLOSE_DONE,
    NGX_HTTP_FRONTDESK_CLOSE_CLIENT,
    NGX_HTTP_FRONTDESK_CLOSE_TIMEOUT,
    NGX_HTTP_FRONTDESK_CLOSE_RELOAD,
    NGX_HTTP_FRONTDESK_CLOSE_REVOKED,
    NGX_HTTP_FRONTDESK_CLOSE_ERROR
} ngx_http_frontdesk_close_e;


/*
 * The request's context.  It is kept in a pool cleanup record as well, so that
 * an internal redirect finds it (ngx_http_frontdesk_get_ctx()).
 */

struct ngx_http_frontdesk_ctx_s {
    const ngx_http_frontdesk_route_t  *route;
    ngx_str_t                  id;             /* the route's :id */

    ngx_http_frontdesk_key_t  *key;            /* NULL until known */
    ngx_str_t                  origin;         /* allowed: echoed in CORS */

    struct fd_json            *json;           /* the parsed body */
    struct fd_chat_request     chat;

    ngx_str_t                  session;
    ngx_str_t                  job;
    void                      *stream;         /* ..._stream.c's */

    ngx_msec_t                 started;        /* ngx_current_msec */
    ngx_msec_t                 redis_ms;       /* of the admission */
    ngx_msec_t                 first_byte_ms;
    ngx_uint_t                 events;
    ngx_uint_t                 auth;           /* pass, cached, deny, error */
    ngx_uint_t                 limit;          /* pass, reject */
    ngx_http_frontdesk_close_e close;
};


/* ngx_http_frontdesk_module.c: directives, phases, life of a process */

extern ngx_module_t  ngx_http_frontdesk_module;

ngx_http_frontdesk_main_conf_t *ngx_http_frontdesk_main_conf(void);
ngx_http_frontdesk_ctx_t *ngx_http_frontdesk_get_ctx(ngx_http_request_t *r);


/* ngx_http_frontdesk_route.c: from a URI to a handler */

ngx_int_t ngx_http_frontdesk_route_find(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


/*
 * ngx_http_frontdesk_redis.c: pipelined commands, one connection a role and
 * process.  A reply is NULL when the connection broke or the command was too
 * late.  A handler may finalize the request; it is called at most once, and
 * not at all after ngx_http_frontdesk_redis_cancel().
 */

typedef struct ngx_http_frontdesk_op_s  ngx_http_frontdesk_op_t;
struct redisReply;

typedef void (*ngx_http_frontdesk_reply_pt)(void *data,
    struct redisReply *reply);

/* NULL: not connected or too much in flight */
ngx_http_frontdesk_op_t *ngx_http_frontdesk_redis_command(
    ngx_http_frontdesk_role_e role, ngx_http_frontdesk_reply_pt handler,
    void *data, ngx_uint_t argc, ngx_str_t *argv);
/* argv without EVALSHA and hash: numkeys is nkeys */
ngx_http_frontdesk_op_t *ngx_http_frontdesk_redis_script(
    enum fd_script script, ngx_http_frontdesk_reply_pt handler, void *data,
    ngx_uint_t nkeys, ngx_uint_t argc, ngx_str_t *argv);
void ngx_http_frontdesk_redis_cancel(ngx_http_frontdesk_op_t *op);
ngx_uint_t ngx_http_frontdesk_redis_up(ngx_http_frontdesk_role_e role);
ngx_uint_t ngx_http_frontdesk_redis_pending(ngx_http_frontdesk_role_e role);
/* fd:meta, read when the jobs connection opens; NULL until then */
const u_char *ngx_http_frontdesk_session_key(void);
ngx_uint_t ngx_http_frontdesk_shards(void);

ngx_int_t ngx_http_frontdesk_redis_init(ngx_cycle_t *cycle);
void ngx_http_frontdesk_redis_exit(ngx_cycle_t *cycle);


/*
 * ngx_http_frontdesk_channel.c: the subscribed connection - open jobs, answers
 * to calls, control hints
 */

ngx_int_t ngx_http_frontdesk_channel_init(ngx_cycle_t *cycle);
void ngx_http_frontdesk_channel_exit(ngx_cycle_t *cycle);
/* proven alive within the last second */
ngx_uint_t ngx_http_frontdesk_channel_alive(void);
ngx_uint_t ngx_http_frontdesk_channel_subscribe(ngx_str_t *job);
void ngx_http_frontdesk_channel_unsubscribe(ngx_str_t *job);
/* the name of this process's reply channel */
ngx_str_t *ngx_http_frontdesk_channel_reply(void);


/* ngx_http_frontdesk_call.c: short questions to a worker (call.h) */

/*
 * Sends the question and answers the request with the reply, or with 503 at
 * the deadline.  Takes the request over: return what this returns.
 */
ngx_int_t ngx_http_frontdesk_call(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, const char *op, ngx_str_t *args);
/* the same without a request: done(data, status) */
ngx_int_t ngx_http_frontdesk_call_replay(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, void (*done)(void *data, ngx_uint_t status),
    void *data);
/* from the channel */
void ngx_http_frontdesk_call_answer(u_char *message, size_t len);


/*
 * ngx_http_frontdesk_stream.c: an open answer - the job table, the reader's
 * rules, server-sent events, or the one JSON answer
 */

ngx_int_t ngx_http_frontdesk_stream_open(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
void ngx_http_frontdesk_stream_message(u_char *job, size_t job_len,
    u_char *frame, size_t len);                 /* from the channel */
void ngx_http_frontdesk_stream_resync(void);    /* after a reconnect */
void ngx_http_frontdesk_stream_revoke(u_char sha256[32]);
void ngx_http_frontdesk_stream_drain(void);     /* graceful shutdown */
ngx_int_t ngx_http_frontdesk_stream_init(ngx_cycle_t *cycle);


/* ngx_http_frontdesk_chat.c: POST chat, GET events, POST cancel */

ngx_int_t ngx_http_frontdesk_chat_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_events_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_cancel_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


/* ngx_http_frontdesk_session.c: start, history, end */

ngx_int_t ngx_http_frontdesk_start_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_history_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_end_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/* shape and tag; sends the problem itself: NGX_OK, or what to return */
ngx_int_t ngx_http_frontdesk_session_check(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *session, const char *field);


/* ngx_http_frontdesk_settings.c: GET config */

ngx_int_t ngx_http_frontdesk_config_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


/*
 * ngx_http_frontdesk_key.c: whose request is it.  In the access phase for
 * keys in a header or the query, before the body is read.
 */

ngx_int_t ngx_http_frontdesk_access_handler(ngx_http_request_t *r);
/*
 * Resolves a key for a parked request and calls done(r, ctx, rc): NGX_OK with
 * ctx->key set, or an error whose problem is ctx->... already sent.  `fresh`
 * passes by the cache (an admission answered `stale`).  NGX_OK or NGX_DECLINED
 * when known at once (done is not called), NGX_AGAIN otherwise.
 */
ngx_int_t ngx_http_frontdesk_key_resolve(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *token, ngx_uint_t fresh,
    void (*done)(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_int_t rc));


/* ngx_http_frontdesk_cors.c: origins, preflight, headers on every answer */

ngx_int_t ngx_http_frontdesk_cors_preflight(ngx_http_request_t *r);
/* is the request's Origin among the key's?  Sets ctx->origin */
ngx_uint_t ngx_http_frontdesk_cors_allowed(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_cors_headers(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


/* ngx_http_frontdesk_body.c: a JSON body, read and parsed */

/*
 * Reads the body, checks size, type and JSON, sets ctx->json and calls
 * handler; its return value finalizes the request.  Return what this returns.
 */
ngx_int_t ngx_http_frontdesk_body_read(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_handler_pt handler);
struct fd_alloc ngx_http_frontdesk_allocator(ngx_pool_t *pool);


/* ngx_http_frontdesk_respond.c: whole JSON answers and problems */

ngx_int_t ngx_http_frontdesk_respond(ngx_http_request_t *r, ngx_uint_t status,
    const char *content_type, ngx_str_t *body);
ngx_int_t ngx_http_frontdesk_problem(ngx_http_request_t *r,
    struct fd_problem *problem);
ngx_int_t ngx_http_frontdesk_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);
/* a JSON writer into the request's pool; the text is w->data, w->len */
void ngx_http_frontdesk_json_writer(struct fd_json_writer *w,
    ngx_pool_t *pool);


/*
 * ngx_http_frontdesk_zone.c: what the processes of a host share - keys,
 * configurations, read limits, counters
 */

char *ngx_http_frontdesk_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* NGX_OK known, NGX_DECLINED known to be nobody's, NGX_AGAIN unknown or old */
ngx_int_t ngx_http_frontdesk_zone_key_get(u_char sha256[32], ngx_pool_t *pool,
    ngx_http_frontdesk_key_t *key, ngx_uint_t stale_ok);
void ngx_http_frontdesk_zone_key_set(ngx_http_frontdesk_key_t *key);
void ngx_http_frontdesk_zone_key_set_unknown(u_char sha256[32]);
void ngx_http_frontdesk_zone_key_forget(u_char sha256[32]);
ngx_int_t ngx_http_frontdesk_zone_config_get(ngx_str_t *org, ngx_pool_t *pool,
    ngx_str_t *json, ngx_uint_t stale_ok);
void ngx_http_frontdesk_zone_config_set(ngx_str_t *org, ngx_str_t *json);
void ngx_http_frontdesk_zone_org_forget(u_char *org, size_t len);
/* everything, after the control channel was away; stale reads still find it */
void ngx_http_frontdesk_zone_flush(void);
/* GCRA of this host; NGX_OK or the seconds to wait */
ngx_int_t ngx_http_frontdesk_zone_read_limit(ngx_str_t *address,
    ngx_int_t per_minute);

typedef enum {
    NGX_HTTP_FRONTDESK_COUNT_REQUESTS = 0,
    NGX_HTTP_FRONTDESK_COUNT_ADMITTED,
    NGX_HTTP_FRONTDESK_COUNT_DUPLICATE,
    NGX_HTTP_FRONTDESK_COUNT_BUSY,
    NGX_HTTP_FRONTDESK_COUNT_LIMITED,
    NGX_HTTP_FRONTDESK_COUNT_FULL,
    NGX_HTTP_FRONTDESK_COUNT_UNAVAILABLE,
    NGX_HTTP_FRONTDESK_COUNT_KEY_HITS,
    NGX_HTTP_FRONTDESK_COUNT_KEY_MISSES,
    NGX_HTTP_FRONTDESK_COUNT_KEY_DENIED,
    NGX_HTTP_FRONTDESK_COUNT_EVENTS,
    NGX_HTTP_FRONTDESK_COUNT_PULLS,
    NGX_HTTP_FRONTDESK_COUNT_BLOCKED,
    NGX_HTTP_FRONTDESK_COUNT_SLOW_CLOSED,
    NGX_HTTP_FRONTDESK_COUNT_RESUMES,
    NGX_HTTP_FRONTDESK_COUNT_REPLAYS,
    NGX_HTTP_FRONTDESK_COUNT_REDIS_RECONNECTS,
    NGX_HTTP_FRONTDESK_COUNTERS
} ngx_http_frontdesk_counter_e;

typedef enum {
    NGX_HTTP_FRONTDESK_GAUGE_STREAMS = 0,
    NGX_HTTP_FRONTDESK_GAUGE_PENDING,
    NGX_HTTP_FRONTDESK_GAUGE_REDIS_JOBS_UP,
    NGX_HTTP_FRONTDESK_GAUGE_REDIS_LIVE_UP,
    NGX_HTTP_FRONTDESK_GAUGES
} ngx_http_frontdesk_gauge_e;

typedef enum {
    NGX_HTTP_FRONTDESK_TIME_ADMISSION = 0,   /* Redis round trip */
    NGX_HTTP_FRONTDESK_TIME_FIRST_EVENT,
    NGX_HTTP_FRONTDESK_TIMES
} ngx_http_frontdesk_time_e;

void ngx_http_frontdesk_count(ngx_http_frontdesk_counter_e counter);
/* of this process; zeroed when a process takes its slot */
void ngx_http_frontdesk_gauge(ngx_http_frontdesk_gauge_e gauge,
    ngx_atomic_int_t value);
void ngx_http_frontdesk_observe(ngx_http_frontdesk_time_e time, ngx_msec_t ms);


/* ngx_http_frontdesk_status.c: healthz, readyz, metrics */

ngx_int_t ngx_http_frontdesk_status_handler(ngx_http_request_t *r);


/* ngx_http_frontdesk_asset.c: the widget, the demo page */

ngx_int_t ngx_http_frontdesk_asset_handler(ngx_http_request_t *r);


/* ngx_http_frontdesk_variable.c: $frontdesk_... */

ngx_int_t ngx_http_frontdesk_variables(ngx_conf_t *cf);


#endif /* _NGX_HTTP_FRONTDESK_H_INCLUDED_ */
