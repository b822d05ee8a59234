
/*
 * Between the files of an admission: its life (..._admission.c), what is sent
 * (..._admission_call.c) and what is answered (..._admission_answer.c).
 */


#ifndef _NGX_HTTP_FRONTDESK_ADMISSION_STATE_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_ADMISSION_STATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/problem.h"

#include "ngx_http_frontdesk_admission.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_redis.h"


#define NGX_HTTP_FRONTDESK_ADMIT_KEYS   10
#define NGX_HTTP_FRONTDESK_ADMIT_ARGS   (13 + 2 * 8)


struct ngx_http_frontdesk_admission_s {
    ngx_queue_t                  queue;
    ngx_pool_t                  *pool;
    ngx_http_request_t          *request;
    ngx_http_frontdesk_ctx_t    *ctx;
    ngx_http_frontdesk_op_t     *op;
    ngx_event_t                  again;
    ngx_msec_t                   sent;        /* the first time */
    ngx_uint_t                   nkeys;
    ngx_uint_t                   argc;
    ngx_str_t                   *generation;  /* in argv */
    ngx_str_t                    argv[NGX_HTTP_FRONTDESK_ADMIT_KEYS
                                      + NGX_HTTP_FRONTDESK_ADMIT_ARGS];
    unsigned                     opened:1;    /* the stream is */
    unsigned                     stale:1;     /* the key was read once more */
    unsigned                     patient:1;   /* waited for a busy session */
};


/* ngx_http_frontdesk_admission.c */

/* sends, or waits for a connection to send on */
void ngx_http_frontdesk_admission_again(ngx_http_frontdesk_admission_t *ad);
void ngx_http_frontdesk_admission_release(ngx_http_frontdesk_admission_t *ad);
/* ends the request without a stream */
void ngx_http_frontdesk_admission_finish(ngx_http_frontdesk_admission_t *ad,
    ngx_int_t rc);


/* ngx_http_frontdesk_admission_answer.c */

/* NGX_DONE: the request goes on, or what to finalize it with */
ngx_int_t ngx_http_frontdesk_admission_answer(
    ngx_http_frontdesk_admission_t *ad, struct redisReply *reply);
/* to a call that was sent again after the stream was opened */
void ngx_http_frontdesk_admission_repeated(ngx_http_frontdesk_admission_t *ad,
    struct redisReply *reply);
ngx_int_t ngx_http_frontdesk_admission_problem(ngx_http_request_t *r,
    enum fd_problem_type type, const char *job, ngx_int_t retry_after_ms);


/* ngx_http_frontdesk_admission_call.c */

/* keys and arguments of admit.lua */
ngx_int_t ngx_http_frontdesk_admission_call(ngx_http_frontdesk_admission_t *ad,
    ngx_str_t *idempotency_key, ngx_uint_t starts);
/* the key's generation in its place among them, after the key was read again */
ngx_int_t ngx_http_frontdesk_admission_generation(
    ngx_http_frontdesk_admission_t *ad);


#endif /* _NGX_HTTP_FRONTDESK_ADMISSION_STATE_H_INCLUDED_ */
