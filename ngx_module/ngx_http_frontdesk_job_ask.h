
/*
 * Asks a script about ctx->job: ngx_http_frontdesk_job_ask.c.  The script
 * returns a word, or nil: no such job, for this organisation and session.
 */


#ifndef _NGX_HTTP_FRONTDESK_JOB_ASK_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_JOB_ASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/json.h"
#include "protocol/scripts.h"

#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_redis.h"


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

/*
 * Of a route with a job's id: as ..._job_check(); the caller sets script, args,
 * none and handler.
 */
ngx_int_t ngx_http_frontdesk_job_ask_create(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_http_frontdesk_job_ask_t **created);
/* NGX_DONE: parked, or what to finalize the request with */
ngx_int_t ngx_http_frontdesk_job_ask(ngx_http_frontdesk_job_ask_t *ask);
/* FD_CONTROL_* to the workers; it may be lost */
void ngx_http_frontdesk_job_hint(ngx_str_t *job, const char *control);


/* ngx_http_frontdesk_orphan.c: jobs whose client has gone for good */

/* cancels ctx->job, now or once its server is back; nobody is told */
void ngx_http_frontdesk_cancel_job(ngx_http_frontdesk_ctx_t *ctx);
void ngx_http_frontdesk_orphan_resync(void);    /* jobs is back */


#endif /* _NGX_HTTP_FRONTDESK_JOB_ASK_H_INCLUDED_ */
