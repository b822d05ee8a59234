
/*
 * frontdesk_problem: what nginx itself answers in HTML - a body that is too
 * large, an upstream that is away - as a problem document, by error_page.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/problem.h"

#include "ngx_http_frontdesk_admin.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_service.h"


static enum fd_problem_type ngx_http_frontdesk_error_type(ngx_uint_t status);


ngx_int_t
ngx_http_frontdesk_error_handler(ngx_http_request_t *r)
{
    ngx_uint_t                 status;
    struct fd_problem          problem;
    ngx_http_frontdesk_ctx_t  *ctx;

    ctx = ngx_http_frontdesk_get_ctx(r);

    /* what nginx refuses before the access phase has none of them yet */

    if ((ctx == NULL || !ctx->admin)
        && ngx_http_frontdesk_admin_headers(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&problem, sizeof(struct fd_problem));

    /* without error_page's code this location was asked for by its name */

    status = r->err_status ? r->err_status : NGX_HTTP_NOT_FOUND;

    problem.type = ngx_http_frontdesk_error_type(status);

    if (problem.type == FD_PROBLEM_UNAVAILABLE) {
        problem.retry_after = 2;
    }

    /* the document's own status, or the header filter would keep nginx's */

    r->err_status = 0;

    return ngx_http_frontdesk_problem(r, &problem);
}


static enum fd_problem_type
ngx_http_frontdesk_error_type(ngx_uint_t status)
{
    switch (status) {

    case NGX_HTTP_BAD_REQUEST:
    case NGX_HTTP_REQUEST_URI_TOO_LARGE:
    case NGX_HTTP_MISDIRECTED_REQUEST:
    case NGX_HTTP_NOT_IMPLEMENTED:
    case NGX_HTTP_VERSION_NOT_SUPPORTED:
        return FD_PROBLEM_BAD_REQUEST;

    case NGX_HTTP_NOT_FOUND:
        return FD_PROBLEM_NOT_FOUND;

    case NGX_HTTP_NOT_ALLOWED:
        return FD_PROBLEM_METHOD;

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        return FD_PROBLEM_TOO_LARGE;

    case NGX_HTTP_REQUEST_HEADER_TOO_LARGE:
        return FD_PROBLEM_HEADERS_TOO_LARGE;

    case NGX_HTTP_BAD_GATEWAY:
    case NGX_HTTP_SERVICE_UNAVAILABLE:
        return FD_PROBLEM_UNAVAILABLE;

    case NGX_HTTP_GATEWAY_TIME_OUT:
        return FD_PROBLEM_DEADLINE;

    default:
        return FD_PROBLEM_INTERNAL;
    }
}
