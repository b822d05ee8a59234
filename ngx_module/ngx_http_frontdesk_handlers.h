
/*
 * The handlers of routes, each in the file that is named after it.
 */


#ifndef _NGX_HTTP_FRONTDESK_HANDLERS_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_HANDLERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"


/* GET config, in ..._settings.c */
ngx_int_t ngx_http_frontdesk_config_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);

/* POST chat; GET chat/:id/events; POST chat/:id/cancel, confirm, ticket */
ngx_int_t ngx_http_frontdesk_chat_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_events_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_cancel_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_confirm_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_ticket_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);

/* POST tools/callback/:token */
ngx_int_t ngx_http_frontdesk_callback_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);

/* POST sessions/start; GET sessions/:id/history; DELETE sessions/:id/end */
ngx_int_t ngx_http_frontdesk_start_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_history_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_end_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
/* GET sessions/:id/events */
ngx_int_t ngx_http_frontdesk_session_events_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);

/* POST messages/:id/feedback; sessions/:id/..., in ..._visitor.c */
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

/* POST /v1/chat/completions; GET /v1/models */
ngx_int_t ngx_http_frontdesk_completion_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
ngx_int_t ngx_http_frontdesk_models_handler(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);


#endif /* _NGX_HTTP_FRONTDESK_HANDLERS_H_INCLUDED_ */
