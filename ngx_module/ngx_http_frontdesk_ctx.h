
/*
 * The context of a request to the API: what is known of it so far.
 */


#ifndef _NGX_HTTP_FRONTDESK_CTX_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_CTX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/chat_request.h"
#include "protocol/completion_request.h"
#include "protocol/json.h"


typedef struct ngx_http_frontdesk_ctx_s        ngx_http_frontdesk_ctx_t;

/* of a file or two each */
typedef struct ngx_http_frontdesk_route_s      ngx_http_frontdesk_route_t;
typedef struct ngx_http_frontdesk_key_s        ngx_http_frontdesk_key_t;
typedef struct ngx_http_frontdesk_user_s       ngx_http_frontdesk_user_t;
typedef struct ngx_http_frontdesk_body_s       ngx_http_frontdesk_body_t;
typedef struct ngx_http_frontdesk_start_s      ngx_http_frontdesk_start_t;
typedef struct ngx_http_frontdesk_admission_s  ngx_http_frontdesk_admission_t;
typedef struct ngx_http_frontdesk_stream_s     ngx_http_frontdesk_stream_t;


/* as a content handler */
typedef ngx_int_t (*ngx_http_frontdesk_handler_pt)(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);

/*
 * Who had to wait: NGX_OK, or NGX_DECLINED where the request was refused and
 * is to be finalized with ctx->refused.
 */
typedef void (*ngx_http_frontdesk_done_pt)(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_int_t rc);


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
 * It is kept in a pool cleanup record as well, so that an internal redirect
 * finds it: ngx_http_frontdesk_get_ctx().  Strings are the request's, but for
 * those of the body, which are of the scratch pool and go with it.
 */

struct ngx_http_frontdesk_ctx_s {
    const ngx_http_frontdesk_route_t  *route;
    ngx_str_t                          id;         /* the route's :id or "*" */
    ngx_uint_t                         openai;     /* below /v1: headers,
                                                      errors and streams as
                                                      OpenAI has them */
    ngx_uint_t                         admin;      /* the admin API's, too */

    /* whose it is */
    ngx_http_frontdesk_key_t          *key;        /* NULL until known */
    ngx_http_frontdesk_user_t         *user;       /* NULL: a key, or nobody */
    ngx_str_t                          token;      /* the key's text: not for
                                                      any log */
    ngx_uint_t                         ticket;     /* stood for key and
                                                      session */
    ngx_str_t                          origin;     /* allowed: echoed in CORS */
    ngx_uint_t                         cors;       /* headers are on the
                                                      answer */
    ngx_uint_t                         lookup;     /* the access phase waits */
    u_char                            *judged;     /* r->uri.data of the URI
                                                      that it let in */
    ngx_int_t                          refused;    /* what the problem's
                                                      output returned */

    /* the body, until the first event only: an answer may last for minutes */
    ngx_pool_t                        *scratch;
    ngx_http_frontdesk_body_t         *body;       /* while it is read */
    struct fd_json                    *json;       /* parsed */
    struct fd_chat_request             chat;
    struct fd_completion_request      *completion; /* below /v1, where only
                                                      chat.stream counts */
    ngx_uint_t                         repeatable; /* has an idempotency key */
    ngx_uint_t                         async;      /* Prefer: respond-async */

    ngx_str_t                          session;
    ngx_str_t                          job;
    ngx_http_frontdesk_start_t        *start;
    ngx_http_frontdesk_admission_t    *admission;
    ngx_http_frontdesk_stream_t       *stream;

    /* for the log */
    ngx_msec_t                         started;    /* ngx_current_msec */
    ngx_msec_t                         redis_ms;   /* of the admission */
    ngx_msec_t                         first_byte_ms;
    ngx_uint_t                         events;
    ngx_uint_t                         auth;       /* ..._auth_e */
    ngx_uint_t                         limit;      /* ..._limit_e */
    ngx_http_frontdesk_close_e         close;
};


/* ngx_http_frontdesk_ctx.c */

/* NULL where the request never came to an API location */
ngx_http_frontdesk_ctx_t *ngx_http_frontdesk_get_ctx(ngx_http_request_t *r);
/* NULL: no memory */
ngx_http_frontdesk_ctx_t *ngx_http_frontdesk_create_ctx(
    ngx_http_request_t *r);


/* ngx_http_frontdesk_scratch.c */

/* makes ctx->scratch, once; it ends with the request at the latest */
ngx_int_t ngx_http_frontdesk_scratch(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/* the body, ctx->json, the texts of ctx->chat and ctx->token go with it */
void ngx_http_frontdesk_scratch_free(ngx_http_frontdesk_ctx_t *ctx);


#endif /* _NGX_HTTP_FRONTDESK_CTX_H_INCLUDED_ */
