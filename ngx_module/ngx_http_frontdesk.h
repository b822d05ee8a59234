
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
#include "protocol/completion_request.h"
#include "protocol/event.h"
#include "protocol/ids.h"
#include "protocol/json.h"
#include "protocol/limits.h"
#include "protocol/problem.h"
#include "protocol/scripts.h"


typedef struct ngx_http_frontdesk_ctx_s  ngx_http_frontdesk_ctx_t;


/*
 * An API key as fd:key holds it; strings are in the request's pool, each with
 * a NUL behind it.
 */

typedef struct {
    u_char                     sha256[32];
    ngx_str_t                  org;         /* uuid */
    ngx_str_t                  id;          /* uuid */
    enum fd_key_kind           kind;
    int64_t                    generation;
    ngx_str_t                  origins;     /* space separated */
    time_t                     expires;     /* 0 = never */
    ngx_uint_t                 scope;       /* ..._scope_e, in the admin API */
} ngx_http_frontdesk_key_t;


typedef enum {
    NGX_HTTP_FRONTDESK_SCOPE_ADMIN = 0,
    NGX_HTTP_FRONTDESK_SCOPE_WRITE,
    NGX_HTTP_FRONTDESK_SCOPE_READ
} ngx_http_frontdesk_scope_e;


/*
 * A signed-in user, as the claims of the cookie have it; each string has a NUL
 * behind it.
 */

typedef struct {
    ngx_str_t                  id;          /* uuid */
    ngx_str_t                  org;         /* uuid */
    ngx_str_t                  role;
    ngx_str_t                  team;        /* uuid, or empty */
    ngx_str_t                  session;     /* uuid */
    ngx_str_t                  nonce;
} ngx_http_frontdesk_user_t;


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

    ngx_uint_t                 used;           /* some location needs Redis
                                                  and the zone */
    ngx_int_t                  request_id;     /* index of $request_id */
} ngx_http_frontdesk_main_conf_t;


typedef enum {
    NGX_HTTP_FRONTDESK_OFF = 0,
    NGX_HTTP_FRONTDESK_API,
    NGX_HTTP_FRONTDESK_ASSETS,
    NGX_HTTP_FRONTDESK_HEALTHZ,
    NGX_HTTP_FRONTDESK_READYZ,
    NGX_HTTP_FRONTDESK_METRICS,
    NGX_HTTP_FRONTDESK_PROBLEM
} ngx_http_frontdesk_service_e;


typedef struct {
    ngx_uint_t                 service;        /* ..._service_e */
    ngx_flag_t                 admin;          /* a secret key is asked for,
                                                  another handler answers */
    ngx_str_t                  assets;         /* directory */
    ngx_msec_t                 heartbeat;
    ngx_msec_t                 retry;          /* of SSE's retry: field */
    ngx_array_t               *files;          /* ..._asset.c's */
} ngx_http_frontdesk_loc_conf_t;


/*
 * A route: method and path below /api/v1 or, with OPENAI, below /v1, where a
 * last "*" stands for all that follows; what it asks of the key; and its
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
#define NGX_HTTP_FRONTDESK_SECRET        0x10  /* no publishable key */
#define NGX_HTTP_FRONTDESK_OPENAI        0x20  /* the door: below /v1 */
#define NGX_HTTP_FRONTDESK_KEYLESS       0x40  /* the path is the key */
#define NGX_HTTP_FRONTDESK_TICKET        0x80  /* a ticket in the query stands
                                                  for key and session */
#define NGX_HTTP_FRONTDESK_USER         0x100  /* or a signed-in user's
                                                  cookie */
#define NGX_HTTP_FRONTDESK_EXPIRED      0x200  /* whose claims may have
                                                  expired */

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


/* ctx->auth, for $frontdesk_auth */

typedef enum {
    NGX_HTTP_FRONTDESK_AUTH_NONE = 0,
    NGX_HTTP_FRONTDESK_AUTH_PASS,           /* read from Redis */
    NGX_HTTP_FRONTDESK_AUTH_CACHED,
    NGX_HTTP_FRONTDESK_AUTH_DENY,
    NGX_HTTP_FRONTDESK_AUTH_ERROR           /* could not be known */
} ngx_http_frontdesk_auth_e;


/* ctx->limit, for $frontdesk_limit */

typedef enum {
    NGX_HTTP_FRONTDESK_LIMIT_NONE = 0,
    NGX_HTTP_FRONTDESK_LIMIT_PASS,
    NGX_HTTP_FRONTDESK_LIMIT_REJECT
} ngx_http_frontdesk_limit_e;


/*
 * The request's context.  It is kept in a pool cleanup record as well, so that
 * an internal redirect finds it (ngx_http_frontdesk_get_ctx()).
 */

struct ngx_http_frontdesk_ctx_s {
    const ngx_http_frontdesk_route_t  *route;
    ngx_str_t                  id;             /* the route's :id or "*" */
    ngx_uint_t                 openai;         /* below /v1: headers, errors
                                                  and streams as OpenAI has
                                                  them */

    ngx_http_frontdesk_key_t  *key;            /* NULL until known */
    ngx_http_frontdesk_user_t *user;           /* NULL: a key, or nobody */
    ngx_str_t                  origin;         /* allowed: echoed in CORS */

    ngx_pool_t                *scratch;        /* what is needed until the
                                                  first event only: an answer
                                                  may last for minutes */
    struct fd_json            *json;           /* the parsed body */
    struct fd_chat_request     chat;
    struct fd_completion_request  *completion; /* below /v1, where only
                                                  chat.stream counts */
    ngx_uint_t                 repeatable;     /* has an idempotency key */

    ngx_str_t                  session;
    ngx_str_t                  job;
    void                      *stream;         /* ..._stream.c's */

    ngx_msec_t                 started;        /* ngx_current_msec */
    ngx_msec_t                 redis_ms;       /* of the admission */
    ngx_msec_t                 first_byte_ms;
    ngx_uint_t                 events;
    ngx_uint_t                 auth;           /* ..._auth_e */
    ngx_uint_t                 limit;          /* ..._limit_e */
    ngx_uint_t                 async;          /* Prefer: respond-async */
    ngx_http_frontdesk_close_e close;

    void                      *admission;      /* ..._admission.c's */
    ngx_str_t                  token;          /* the key's text: not for
                                                  any log */
    void                      *lookup;         /* ..._key.c's, ..._ticket.c's:
                                                  the access phase waits */
    ngx_uint_t                 ticket;         /* stood for key and session */
    void                      *body;           /* ..._body.c's */
    void                      *start;          /* ..._start.c's */
    u_char                    *judged;         /* r->uri.data of the URI that
                                                  the access phase let in */
    ngx_int_t                  refused;        /* what the problem's output
                                                  returned */
    ngx_uint_t                 cors;           /* headers are on the answer */
    ngx_uint_t                 admin;          /* the admin API's, too */
};


/* ngx_http_frontdesk_module.c: directives, phases, life of a process */

extern ngx_module_t  ngx_http_frontdesk_module;

ngx_http_frontdesk_main_conf_t *ngx_http_frontdesk_main_conf(void);
/* NULL where the request never came to an API location */
ngx_http_frontdesk_ctx_t *ngx_http_frontdesk_get_ctx(ngx_http_request_t *r);
ngx_http_frontdesk_ctx_t *ngx_http_frontdesk_create_ctx(
    ngx_http_request_t *r);


/* ngx_http_frontdesk_route.c: from a URI to a handler */

/*
 * NGX_OK, NGX_DECLINED: no such path, NGX_HTTP_NOT_ALLOWED: the path has
 * other methods (methods is a mask of them in both last cases)
 */
ngx_int_t ngx_http_frontdesk_route_find(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_uint_t *methods);
/* "GET, HEAD, OPTIONS" */
ngx_int_t ngx_http_frontdesk_route_methods(ngx_pool_t *pool,
    ngx_uint_t methods, ngx_str_t *list);


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
/* CRC-32 of the id modulo shards; only once fd:meta is known */
ngx_uint_t ngx_http_frontdesk_shard(ngx_str_t *org);
/* a key of keys.h, NUL terminated; %V takes an ngx_str_t pointer */
ngx_int_t ngx_http_frontdesk_redis_key(ngx_pool_t *pool, ngx_str_t *key,
    const char *format, ...);

ngx_int_t ngx_http_frontdesk_redis_init(ngx_cycle_t *cycle);
void ngx_http_frontdesk_redis_exit(ngx_cycle_t *cycle);


/* ngx_http_frontdesk_scratch.c: memory of a request's first moments */

/* makes ctx->scratch, once; it ends with the request at the latest */
ngx_int_t ngx_http_frontdesk_scratch(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/* the body, ctx->json, the texts of ctx->chat and ctx->token go with it */
void ngx_http_frontdesk_scratch_free(ngx_http_frontdesk_ctx_t *ctx);


/* ngx_http_frontdesk_park.c: requests that wait for somebody else */

/* holds the request until _resume(), once; a client that leaves ends it */
void ngx_http_frontdesk_park(ngx_http_request_t *r);
/* finalizes it; r may be gone afterwards */
void ngx_http_frontdesk_resume(ngx_http_request_t *r, ngx_int_t rc);
/* the same for a phase handler, which nginx holds itself: return NGX_AGAIN */
ngx_int_t ngx_http_frontdesk_park_phase(ngx_http_request_t *r);


/*
 * ngx_http_frontdesk_channel.c: the subscribed connection - open jobs, answers
 * to calls, control hints
 */

ngx_int_t ngx_http_frontdesk_channel_init(ngx_cycle_t *cycle);
void ngx_http_frontdesk_channel_exit(ngx_cycle_t *cycle);
/* proven alive within the last second */
ngx_uint_t ngx_http_frontdesk_channel_alive(void);
/* acknowledged by ..._stream_subscribed(); 0: once connected again */
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
void ngx_http_frontdesk_call_init(ngx_cycle_t *cycle);


/*
 * An open answer: ngx_http_frontdesk_stream.c and the files that it names in
 * ngx_http_frontdesk_stream.h
 */

/*
 * Subscribes to ctx->job, before the job is admitted.  Events that come before
 * the stream is opened are kept.
 */
ngx_int_t ngx_http_frontdesk_stream_prepare(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/*
 * The job was admitted: the answer goes to the client as it comes, or once
 * where !ctx->chat.stream.  The request must be parked.
 */
void ngx_http_frontdesk_stream_open(ngx_http_frontdesk_ctx_t *ctx);
/*
 * The same for a job that exists since long, after the event `last`.
 * `finished`: no event is to come, only to be read or replayed.  `unproven`:
 * Redis forgot whose job it is; nothing is sent before a worker has said so.
 */
void ngx_http_frontdesk_stream_attach(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_event_id last,
    ngx_uint_t finished, ngx_uint_t unproven);
/* ends an open stream with a problem */
void ngx_http_frontdesk_stream_fail(ngx_http_frontdesk_ctx_t *ctx,
    enum fd_problem_type type);
/*
 * Redis is away: retry: and a close with 200, as other answers end an
 * EventSource for good, or 503 where the client asked for JSON.  Returns what
 * to finalize the request with, never NGX_OK.
 */
ngx_int_t ngx_http_frontdesk_stream_later(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/*
 * The events of ctx->session after `last`, from now on where it is none; as
 * ..._stream_attach(), but it has no end of its own.
 */
void ngx_http_frontdesk_stream_follow(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_event_id last);
/* forgets a prepared stream; whoever asks finalizes the request */
void ngx_http_frontdesk_stream_discard(ngx_http_frontdesk_ctx_t *ctx);

void ngx_http_frontdesk_stream_message(u_char *job, size_t job_len,
    u_char *frame, size_t len);                 /* from the channel */
void ngx_http_frontdesk_stream_subscribed(u_char *job, size_t len);
void ngx_http_frontdesk_stream_resubscribe(void);   /* the channel is back */
void ngx_http_frontdesk_stream_resync(void);    /* live is back */
void ngx_http_frontdesk_stream_revoke(u_char sha256[32]);
void ngx_http_frontdesk_stream_drain(void);     /* graceful shutdown */
ngx_int_t ngx_http_frontdesk_stream_init(ngx_cycle_t *cycle);


/* ngx_http_frontdesk_admission.c: one round trip from a body to a job */

/* a new session; NGX_OK, or a problem is sent and this is its result */
ngx_int_t ngx_http_frontdesk_session_make(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/* the Idempotency-Key header into key, which is left as it is without one */
ngx_int_t ngx_http_frontdesk_idempotency_key(ngx_http_request_t *r,
    ngx_str_t *key);

/*
 * ctx->key, session and chat are set.  NGX_DONE: the request is parked and
 * answered later, or what to finalize it with; `starts`: a new session.
 */
ngx_int_t ngx_http_frontdesk_admit(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *idempotency_key,
    ngx_uint_t starts);
/* the first event is there: the call is not sent again */
void ngx_http_frontdesk_admission_settle(ngx_http_frontdesk_ctx_t *ctx);
/* sends it once more: the job is not known to Redis */
void ngx_http_frontdesk_admission_repeat(ngx_http_frontdesk_ctx_t *ctx);
void ngx_http_frontdesk_admission_resync(void); /* jobs is back */


/*
 * ngx_http_frontdesk_chat.c: POST chat, ..._events.c: GET events,
 * ..._cancel.c: POST cancel
 */

ngx_int_t ngx_http_frontdesk_chat_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_events_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/* Last-Event-ID, 0-0 without one; NGX_OK, or what to return */
ngx_int_t ngx_http_frontdesk_events_last(ngx_http_request_t *r,
    struct fd_event_id *last);
/* the same as _stream_later() before it is known whose request this is */
ngx_int_t ngx_http_frontdesk_events_later(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/*
 * Reads fd:job of ctx->job and attaches a stream to it, after the event `last`.
 * `own`: a duplicate, so that the job is known to be this client's and its
 * session becomes ctx->session.  NGX_DONE: Redis is asked, to be parked, or
 * what to finalize the request with.
 */
ngx_int_t ngx_http_frontdesk_attach(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_event_id last, ngx_uint_t own);
ngx_int_t ngx_http_frontdesk_cancel_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/*
 * ngx_http_frontdesk_confirm.c: POST confirm, ..._callback.c: POST of a tool's
 * late outcome
 */
ngx_int_t ngx_http_frontdesk_confirm_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_callback_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/*
 * Of a route with a job's id: discards the body, sets ctx->job and, from its
 * header, ctx->session.  NGX_OK, or what to return.
 */
ngx_int_t ngx_http_frontdesk_job_check(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


/* ngx_http_frontdesk_orphan.c: jobs whose client has gone for good */

/* cancels ctx->job, now or once its server is back; nobody is told */
void ngx_http_frontdesk_cancel_job(ngx_http_frontdesk_ctx_t *ctx);
void ngx_http_frontdesk_orphan_resync(void);    /* jobs is back */


/*
 * ngx_http_frontdesk_job_ask.c: asks a script about ctx->job.  The script
 * returns a word, or nil: no such job, for this organisation and session.
 */

#define NGX_HTTP_FRONTDESK_JOB_ARGS  2

typedef struct ngx_http_frontdesk_job_ask_s  ngx_http_frontdesk_job_ask_t;

/* writes the answer's members behind job_id */
typedef void (*ngx_http_frontdesk_job_word_pt)(
    ngx_http_frontdesk_job_ask_t *ask, const char *word,
    struct fd_json_writer *w);

struct ngx_http_frontdesk_job_ask_s {
    enum fd_script                  script;
    ngx_str_t                       args[NGX_HTTP_FRONTDESK_JOB_ARGS];
    ngx_uint_t                      nargs;      /* behind org and session */
    const char                     *none;       /* the 404's detail or NULL */
    ngx_http_frontdesk_job_word_pt  handler;

    ngx_http_request_t             *request;
    ngx_http_frontdesk_ctx_t       *ctx;
    ngx_http_frontdesk_op_t        *op;
};

/* the caller sets script, args, none and handler */
ngx_http_frontdesk_job_ask_t *ngx_http_frontdesk_job_ask_create(
    ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx);
/* NGX_DONE: parked, or what to finalize the request with */
ngx_int_t ngx_http_frontdesk_job_ask(ngx_http_frontdesk_job_ask_t *ask);
/* FD_CONTROL_* to the workers; it may be lost */
void ngx_http_frontdesk_job_hint(ngx_str_t *job, const char *control);


/*
 * ngx_http_frontdesk_completion.c: POST /v1/chat/completions,
 * ..._models.c: GET /v1/models
 */

ngx_int_t ngx_http_frontdesk_completion_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_models_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


/* ngx_http_frontdesk_openai.c: what OpenAI's clients look at beside the body */

ngx_int_t ngx_http_frontdesk_openai_headers(ngx_http_request_t *r);
ngx_int_t ngx_http_frontdesk_openai_rate_headers(ngx_http_request_t *r,
    ngx_int_t limit, ngx_int_t remaining, ngx_int_t reset);
/* answers with a worker's problem document */
ngx_int_t ngx_http_frontdesk_openai_relay(ngx_http_request_t *r,
    ngx_str_t *document);


/*
 * ngx_http_frontdesk_ticket.c: POST ticket, and what an EventSource, which has
 * no headers to send, reads a job's events with, once
 */

ngx_int_t ngx_http_frontdesk_ticket_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/*
 * In the access phase: as ..._key_resolve(), which it ends with; ctx->job's
 * session is set.  Whatever is wrong with the ticket, it is a job that is not
 * there.
 */
ngx_int_t ngx_http_frontdesk_ticket_redeem(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *ticket,
    void (*done)(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_int_t rc));


/*
 * ngx_http_frontdesk_visitor.c: POST feedback, rating, handoff, identify,
 * typing; ..._session_events.c: GET the events of a session
 */

ngx_int_t ngx_http_frontdesk_feedback_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_rating_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_handoff_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_identify_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_typing_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_session_events_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


/* ngx_http_frontdesk_start.c, ..._session.c: start, history, end */

ngx_int_t ngx_http_frontdesk_start_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_history_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_end_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/*
 * Shape and tag; field is NULL for an id of the path.  Sends the problem
 * itself: NGX_OK, or what to return or to finalize with, never NGX_OK then.
 */
ngx_int_t ngx_http_frontdesk_session_check(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *session, const char *field);


/* ngx_http_frontdesk_settings.c: GET config */

ngx_int_t ngx_http_frontdesk_config_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


/* ngx_http_frontdesk_access.c: the access phase, before the body is read */

ngx_int_t ngx_http_frontdesk_access_handler(ngx_http_request_t *r);


/* ngx_http_frontdesk_key.c: whose is a key */

/*
 * Resolves a key for a parked request: NGX_OK with ctx->key set and its origin
 * checked, NGX_DECLINED where it was refused and the problem is sent (finalize
 * the request with ctx->refused, or return it), NGX_AGAIN where Redis has to be
 * asked: then done(r, ctx, rc) is called later with one of the first two.
 * `fresh` passes by the cache (an admission answered `stale`); the token of
 * the first time is ctx->token.  The request must be held by its caller
 * (r->main->count) while NGX_AGAIN lasts.
 */
ngx_int_t ngx_http_frontdesk_key_resolve(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *token, ngx_uint_t fresh,
    void (*done)(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_int_t rc));
/* the same for a key that was resolved before, by its hash */
ngx_int_t ngx_http_frontdesk_key_recall(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, u_char sha256[32], enum fd_key_kind kind,
    void (*done)(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_int_t rc));
/* a problem about the key; NGX_DECLINED, ctx->refused is set */
ngx_int_t ngx_http_frontdesk_deny(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, enum fd_problem_type type,
    const char *detail);


/*
 * ngx_http_frontdesk_sign_in.c: as ..._key_resolve(), for the cookie of a
 * signed-in user; sets ctx->user
 */
ngx_int_t ngx_http_frontdesk_sign_in(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, void (*done)(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc));


/* ngx_http_frontdesk_ended.c: users' sessions that ended before their time */

void ngx_http_frontdesk_ended_init(void);
void ngx_http_frontdesk_ended_reload(void);     /* the channel is up again */
void ngx_http_frontdesk_ended_add(u_char *id, size_t len);
/* NGX_OK it has ended, NGX_DECLINED it has not, NGX_AGAIN ask Redis */
ngx_int_t ngx_http_frontdesk_ended_find(ngx_str_t *session);


/* ngx_http_frontdesk_admin.c: what every admin request goes through */

struct fd_sign_in_keys;

/* NGX_OK, NGX_ERROR, or NGX_DECLINED and ctx->refused: no path of the API */
ngx_int_t ngx_http_frontdesk_admin_begin(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_admin_headers(ngx_http_request_t *r);
/* the same, where the admin API has answered with a job's events */
ngx_int_t ngx_http_frontdesk_admin_follow(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/* NGX_OK, or NGX_DECLINED and ctx->refused: another site's page asks */
ngx_int_t ngx_http_frontdesk_admin_open(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_admin_page(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, struct fd_sign_in_keys *keys);


/* ngx_http_frontdesk_cors.c: origins, preflight, headers on every answer */

ngx_int_t ngx_http_frontdesk_cors_preflight(ngx_http_request_t *r);
/* is the request's Origin among the key's?  Sets ctx->origin */
ngx_uint_t ngx_http_frontdesk_cors_allowed(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_cors_headers(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/* the origin of the page that asks, "null" where it has none to show */
ngx_int_t ngx_http_frontdesk_cors_site(ngx_http_request_t *r, ngx_str_t *site);


/* ngx_http_frontdesk_seen.c: which sites use which key, for the dashboard */

void ngx_http_frontdesk_seen(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_uint_t allowed);


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
/* the same, of up to two numbers: format as ngx_sprintf's, %i only */
ngx_int_t ngx_http_frontdesk_number_header(ngx_http_request_t *r,
    const char *name, const char *format, ngx_int_t a, ngx_int_t b);
/* of the request; NULL where the header is absent */
ngx_str_t *ngx_http_frontdesk_request_header(ngx_http_request_t *r,
    const char *name);
/* $request_id: on problems, in the job and in the logs of both halves */
ngx_str_t ngx_http_frontdesk_request_id(ngx_http_request_t *r);
/*
 * A problem where NGX_OK would be mistaken for success: its output's result,
 * NGX_OK turned into NGX_HTTP_OK, which finalizes a request all the same.
 */
ngx_int_t ngx_http_frontdesk_refuse(ngx_http_request_t *r,
    struct fd_problem *problem);
/* such a problem, of a type, perhaps with a field and a sentence */
ngx_int_t ngx_http_frontdesk_fail(ngx_http_request_t *r,
    enum fd_problem_type type, const char *field, const char *detail);
/* a JSON writer into the request's pool; the text is w->data, w->len */
void ngx_http_frontdesk_json_writer(struct fd_json_writer *w,
    ngx_pool_t *pool);


/*
 * ngx_http_frontdesk_zone.c, ngx_http_frontdesk_cache.c: what the processes of
 * a host share - keys and configurations
 */

char *ngx_http_frontdesk_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* NGX_OK known, NGX_DECLINED known to be nobody's, NGX_AGAIN unknown or old */
ngx_int_t ngx_http_frontdesk_zone_key_get(u_char sha256[32], ngx_pool_t *pool,
    ngx_http_frontdesk_key_t *key, ngx_uint_t stale_ok);
/*
 * Taken before Redis is asked: what was read is stored only if nothing was
 * forgotten meanwhile, else a revocation that overtook the reply would be lost.
 */
ngx_atomic_uint_t ngx_http_frontdesk_zone_version(void);
void ngx_http_frontdesk_zone_key_set(ngx_http_frontdesk_key_t *key,
    ngx_atomic_uint_t version);
void ngx_http_frontdesk_zone_key_set_unknown(u_char sha256[32],
    ngx_atomic_uint_t version);
void ngx_http_frontdesk_zone_key_forget(u_char sha256[32]);
ngx_int_t ngx_http_frontdesk_zone_config_get(ngx_str_t *org, ngx_pool_t *pool,
    ngx_str_t *json, ngx_uint_t stale_ok);
void ngx_http_frontdesk_zone_config_set(ngx_str_t *org, ngx_str_t *json,
    ngx_atomic_uint_t version);
void ngx_http_frontdesk_zone_org_forget(u_char *org, size_t len);
/* everything, after the control channel was away; stale reads still find it */
void ngx_http_frontdesk_zone_flush(void);


/* ngx_http_frontdesk_limit.c: read limits, and what a limited client is told */

/* the client for limits, NUL terminated: the address, of IPv6 its /64 */
ngx_str_t ngx_http_frontdesk_address(ngx_http_request_t *r);
/* NGX_OK, or NGX_DECLINED and ctx->refused: the read limit's problem is sent */
ngx_int_t ngx_http_frontdesk_read_limit(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/* RateLimit fields of the org's limit, per minute */
ngx_int_t ngx_http_frontdesk_rate_headers(ngx_http_request_t *r,
    ngx_int_t limit, ngx_int_t remaining, ngx_int_t reset_ms);
/* the answer `limited` of admit.lua and start.lua as a problem */
ngx_int_t ngx_http_frontdesk_limited(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *which, ngx_int_t retry_after_ms,
    ngx_int_t limit);
/* GCRA of this host; NGX_OK or the seconds to wait */
ngx_int_t ngx_http_frontdesk_zone_read_limit(ngx_str_t *address,
    ngx_int_t per_minute);


/* ngx_http_frontdesk_counter.c: what /metrics shows, in the zone */

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
    NGX_HTTP_FRONTDESK_COUNT_READ_LIMITED,
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

/* this process's slot of them */
ngx_int_t ngx_http_frontdesk_counter_enter(ngx_cycle_t *cycle);
void ngx_http_frontdesk_counter_leave(void);

#define NGX_HTTP_FRONTDESK_BUCKETS  13      /* of a histogram, without +Inf */

typedef struct {
    ngx_atomic_t               buckets[NGX_HTTP_FRONTDESK_BUCKETS + 1];
    ngx_atomic_t               sum;         /* ms */
} ngx_http_frontdesk_histogram_t;

typedef struct {
    ngx_atomic_t               pid;         /* 0 = free */
    ngx_atomic_t               counters[NGX_HTTP_FRONTDESK_COUNTERS];
    ngx_atomic_int_t           gauges[NGX_HTTP_FRONTDESK_GAUGES];
    ngx_http_frontdesk_histogram_t  times[NGX_HTTP_FRONTDESK_TIMES];
} ngx_http_frontdesk_slot_t;

/* upper bounds, ms */
extern const ngx_msec_t  ngx_http_frontdesk_bounds[NGX_HTTP_FRONTDESK_BUCKETS];

/* the sum of all slots; total->pid is how many processes there are */
void ngx_http_frontdesk_counter_total(ngx_http_frontdesk_slot_t *total);

#define NGX_HTTP_FRONTDESK_SLOTS  64

ngx_http_frontdesk_slot_t *ngx_http_frontdesk_zone_slots(void);

typedef struct {
    ngx_uint_t                 keys;        /* cached now */
    ngx_uint_t                 configs;
    ngx_uint_t                 evictions;   /* ever, for want of memory */
    ngx_uint_t                 free_pages;  /* of the slab */
} ngx_http_frontdesk_usage_t;

void ngx_http_frontdesk_zone_usage(ngx_http_frontdesk_usage_t *usage);


/* ngx_http_frontdesk_status.c: healthz, metrics, and the way to readyz */

ngx_int_t ngx_http_frontdesk_status_handler(ngx_http_request_t *r);


/* ngx_http_frontdesk_ready.c: readyz */

ngx_int_t ngx_http_frontdesk_ready(ngx_http_request_t *r);


/* ngx_http_frontdesk_error.c: frontdesk_problem, for error_page */

ngx_int_t ngx_http_frontdesk_error_handler(ngx_http_request_t *r);


/* ngx_http_frontdesk_manifest.c, ..._asset.c: the widget, the demo page */

char *ngx_http_frontdesk_assets(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_frontdesk_asset_handler(ngx_http_request_t *r);


/* ngx_http_frontdesk_variable.c: $frontdesk_... */

ngx_int_t ngx_http_frontdesk_variables(ngx_conf_t *cf);


#endif /* _NGX_HTTP_FRONTDESK_H_INCLUDED_ */
