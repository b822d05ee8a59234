
/*
 * Whose is a key: ngx_http_frontdesk_key.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_KEY_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_KEY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/ids.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_ctx.h"


#define NGX_HTTP_FRONTDESK_UUID  36


struct redisReply;


typedef enum {
    NGX_HTTP_FRONTDESK_SCOPE_ADMIN = 0,
    NGX_HTTP_FRONTDESK_SCOPE_WRITE,
    NGX_HTTP_FRONTDESK_SCOPE_READ
} ngx_http_frontdesk_scope_e;


/*
 * As fd:key holds it; strings are in the request's pool, each with a NUL
 * behind it.
 */

struct ngx_http_frontdesk_key_s {
    u_char                     sha256[32];
    ngx_str_t                  org;         /* uuid */
    ngx_str_t                  id;          /* uuid */
    enum fd_key_kind           kind;
    int64_t                    generation;
    ngx_str_t                  origins;     /* space separated */
    time_t                     expires;     /* 0 = never */
    ngx_uint_t                 scope;       /* ..._scope_e, of a secret key */
};


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
    ngx_http_frontdesk_done_pt done);
/* the same for a key that was resolved before, by its hash */
ngx_int_t ngx_http_frontdesk_key_recall(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, u_char sha256[32], enum fd_key_kind kind,
    ngx_http_frontdesk_done_pt done);
/* a problem about the key; NGX_DECLINED, ctx->refused is set */
ngx_int_t ngx_http_frontdesk_deny(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, enum fd_problem_type type,
    const char *detail);


/* ngx_http_frontdesk_key_read.c: a key in the live Redis */

#define NGX_HTTP_FRONTDESK_KEY_FIELDS  7

/* HMGET's */
#define NGX_HTTP_FRONTDESK_KEY_ARGS    (2 + NGX_HTTP_FRONTDESK_KEY_FIELDS)

/* "fd:key:" and the hash */
#define NGX_HTTP_FRONTDESK_KEY_NAME    (sizeof("fd:key:") - 1 + 64)

/* the command for key->sha256; name is what an element of argv points to */
void ngx_http_frontdesk_key_question(ngx_http_frontdesk_key_t *key,
    ngx_str_t argv[NGX_HTTP_FRONTDESK_KEY_ARGS],
    u_char name[NGX_HTTP_FRONTDESK_KEY_NAME]);
/* its reply: NGX_OK, NGX_DECLINED: there is none, NGX_ERROR: it is no key */
ngx_int_t ngx_http_frontdesk_key_read(ngx_http_request_t *r,
    ngx_http_frontdesk_key_t *key, struct redisReply *reply);


/*
 * ngx_http_frontdesk_ticket.c: what an EventSource, which has no headers to
 * send, reads a job's events with, once.  In the access phase: as
 * ..._key_resolve(), which it ends with; ctx->job's session is set.  Whatever
 * is wrong with the ticket, it is a job that is not there.
 */
ngx_int_t ngx_http_frontdesk_ticket_redeem(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *ticket,
    ngx_http_frontdesk_done_pt done);


#endif /* _NGX_HTTP_FRONTDESK_KEY_H_INCLUDED_ */
