
/*
 * One round trip from a body to a job: ngx_http_frontdesk_admission.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_ADMISSION_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_ADMISSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"


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


#endif /* _NGX_HTTP_FRONTDESK_ADMISSION_H_INCLUDED_ */
