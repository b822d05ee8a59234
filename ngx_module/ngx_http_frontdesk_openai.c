
/*
 * The manners of OpenAI's API: headers that its SDKs look at, and a worker's
 * problem in its words.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/json.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_body.h"
#include "ngx_http_frontdesk_openai.h"
#include "ngx_http_frontdesk_respond.h"


ngx_int_t
ngx_http_frontdesk_openai_headers(ngx_http_request_t *r)
{
    ngx_str_t  id;

    id = ngx_http_frontdesk_request_id(r);

    return ngx_http_frontdesk_header(r, "X-Request-Id", &id);
}


/* the reset is a duration there, as Go writes them */

ngx_int_t
ngx_http_frontdesk_openai_rate_headers(ngx_http_request_t *r, ngx_int_t limit,
    ngx_int_t remaining, ngx_int_t reset)
{
    if (ngx_http_frontdesk_number_header(r, "X-RateLimit-Limit-Requests", "%i",
                                         limit, 0)
        != NGX_OK
        || ngx_http_frontdesk_number_header(r, "X-RateLimit-Remaining-Requests",
                                            "%i", remaining, 0)
           != NGX_OK
        || ngx_http_frontdesk_number_header(r, "X-RateLimit-Reset-Requests",
                                            "%is", reset, 0)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_frontdesk_openai_relay(ngx_http_request_t *r, ngx_str_t *document)
{
    struct fd_json         *json;
    struct fd_problem       problem;
    struct fd_json_fault    fault;
    struct fd_json_limits   limits;

    ngx_memzero(&limits, sizeof(struct fd_json_limits));

    json = fd_json_parse((char *) document->data, document->len, limits,
                         ngx_http_frontdesk_allocator(r->pool), &fault);

    if (!fd_problem_read(json, &problem)) {
        problem.type = FD_PROBLEM_INTERNAL;
    }

    return ngx_http_frontdesk_problem(r, &problem);
}
