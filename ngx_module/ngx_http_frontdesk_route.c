
/*
 * From a URI to a handler: the routes below /api/v1, with what each asks of
 * the key.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk.h"


#define NGX_HTTP_FRONTDESK_PREFIX  "/api/v1/"


static ngx_uint_t ngx_http_frontdesk_route_match(const ngx_str_t *pattern,
    u_char *p, u_char *last, ngx_str_t *id);


static const ngx_http_frontdesk_route_t  ngx_http_frontdesk_routes[] = {

    { NGX_HTTP_GET|NGX_HTTP_HEAD, ngx_string("config"),
      NGX_HTTP_FRONTDESK_KEY_IN_QUERY|NGX_HTTP_FRONTDESK_LIGHT
      |NGX_HTTP_FRONTDESK_STALE_OK,
      ngx_http_frontdesk_config_handler },

    { NGX_HTTP_POST, ngx_string("chat"),
      NGX_HTTP_FRONTDESK_KEY_IN_BODY,
      ngx_http_frontdesk_chat_handler },

    { NGX_HTTP_GET, ngx_string("chat/:id/events"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_events_handler },

    { NGX_HTTP_POST, ngx_string("chat/:id/cancel"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_cancel_handler },

    { NGX_HTTP_POST, ngx_string("sessions/start"),
      NGX_HTTP_FRONTDESK_KEY_IN_BODY,
      ngx_http_frontdesk_start_handler },

    { NGX_HTTP_GET, ngx_string("sessions/:id/history"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_history_handler },

    { NGX_HTTP_DELETE, ngx_string("sessions/:id/end"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_end_handler },

    { 0, ngx_null_string, 0, NULL }
};


static const struct {
    ngx_uint_t  method;
    ngx_str_t   name;
} ngx_http_frontdesk_methods[] = {
    { NGX_HTTP_GET, ngx_string("GET, ") },
    { NGX_HTTP_HEAD, ngx_string("HEAD, ") },
    { NGX_HTTP_POST, ngx_string("POST, ") },
    { NGX_HTTP_DELETE, ngx_string("DELETE, ") },
    { NGX_HTTP_OPTIONS, ngx_string("OPTIONS") }
};


ngx_int_t
ngx_http_frontdesk_route_find(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_uint_t *methods)
{
    u_char                            *p, *last;
    ngx_str_t                          id;
    const ngx_http_frontdesk_route_t  *route;

    *methods = 0;

    if (r->uri.len < sizeof(NGX_HTTP_FRONTDESK_PREFIX) - 1
        || ngx_strncmp(r->uri.data, NGX_HTTP_FRONTDESK_PREFIX,
                       sizeof(NGX_HTTP_FRONTDESK_PREFIX) - 1)
           != 0)
    {
        return NGX_DECLINED;
    }

    p = r->uri.data + sizeof(NGX_HTTP_FRONTDESK_PREFIX) - 1;
    last = r->uri.data + r->uri.len;

    for (route = ngx_http_frontdesk_routes; route->handler; route++) {

        if (!ngx_http_frontdesk_route_match(&route->pattern, p, last, &id)) {
            continue;
        }

        if (route->method & r->method) {
            ctx->route = route;
            ctx->id = id;
            return NGX_OK;
        }

        *methods |= route->method;
    }

    return *methods ? NGX_HTTP_NOT_ALLOWED : NGX_DECLINED;
}


static ngx_uint_t
ngx_http_frontdesk_route_match(const ngx_str_t *pattern, u_char *p,
    u_char *last, ngx_str_t *id)
{
    u_char  *s, *end;

    ngx_str_null(id);

    s = pattern->data;
    end = pattern->data + pattern->len;

    while (s < end) {

        if (*s == ':') {

            /* one segment, whatever it is: its owner checks the shape */

            id->data = p;

            while (p < last && *p != '/') {
                p++;
            }

            id->len = p - id->data;

            if (id->len == 0) {
                return 0;
            }

            while (s < end && *s != '/') {
                s++;
            }

            continue;
        }

        if (p == last || *s != *p) {
            return 0;
        }

        s++;
        p++;
    }

    return p == last;
}


ngx_int_t
ngx_http_frontdesk_route_methods(ngx_pool_t *pool, ngx_uint_t methods,
    ngx_str_t *list)
{
    u_char      *p;
    ngx_uint_t   i;

    p = ngx_pnalloc(pool, sizeof("GET, HEAD, POST, DELETE, OPTIONS") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    list->data = p;

    /* nginx answers OPTIONS on every path of the API, see the cors file */

    methods |= NGX_HTTP_OPTIONS;

    for (i = 0;
         i < sizeof(ngx_http_frontdesk_methods)
             / sizeof(ngx_http_frontdesk_methods[0]);
         i++)
    {
        if (methods & ngx_http_frontdesk_methods[i].method) {
            p = ngx_cpymem(p, ngx_http_frontdesk_methods[i].name.data,
                           ngx_http_frontdesk_methods[i].name.len);
        }
    }

    list->len = p - list->data;

    return NGX_OK;
}
