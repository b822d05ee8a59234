
/*
 * From a URI to a handler: the routes below /api/v1 and those of the OpenAI-
 * compatible door below /v1, with what each asks of the key; and the one that
 * stands for all of the admin API.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/problem.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_handlers.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_route.h"
#include "ngx_http_frontdesk_service.h"


#define NGX_HTTP_FRONTDESK_PREFIX       "/api/v1/"
#define NGX_HTTP_FRONTDESK_DOOR_PREFIX  "/v1/"


static const ngx_http_frontdesk_route_t *ngx_http_frontdesk_route_admin(
    ngx_http_request_t *r);
static u_char *ngx_http_frontdesk_route_below(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx);
static ngx_uint_t ngx_http_frontdesk_route_match(const ngx_str_t *pattern,
    u_char *p, u_char *last, ngx_str_t *id);


static const ngx_http_frontdesk_route_t  ngx_http_frontdesk_routes[] = {

    { NGX_HTTP_GET|NGX_HTTP_HEAD, ngx_string("config"),
      NGX_HTTP_FRONTDESK_KEY_IN_QUERY|NGX_HTTP_FRONTDESK_LIGHT
      |NGX_HTTP_FRONTDESK_STALE_OK|NGX_HTTP_FRONTDESK_SITE,
      ngx_http_frontdesk_config_handler },

    { NGX_HTTP_POST, ngx_string("chat"),
      NGX_HTTP_FRONTDESK_KEY_IN_BODY,
      ngx_http_frontdesk_chat_handler },

    { NGX_HTTP_GET, ngx_string("chat/:id/events"),
      NGX_HTTP_FRONTDESK_LIGHT|NGX_HTTP_FRONTDESK_TICKET
      |NGX_HTTP_FRONTDESK_EVENTS,
      ngx_http_frontdesk_events_handler },

    { NGX_HTTP_POST, ngx_string("chat/:id/ticket"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_ticket_handler },

    { NGX_HTTP_POST, ngx_string("chat/:id/cancel"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_cancel_handler },

    { NGX_HTTP_POST, ngx_string("chat/:id/confirm"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_confirm_handler },

    { NGX_HTTP_POST, ngx_string("tools/callback/:token"),
      NGX_HTTP_FRONTDESK_KEYLESS,
      ngx_http_frontdesk_callback_handler },

    { NGX_HTTP_POST, ngx_string("sessions/start"),
      NGX_HTTP_FRONTDESK_KEY_IN_BODY,
      ngx_http_frontdesk_start_handler },

    { NGX_HTTP_GET, ngx_string("sessions/:id/history"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_history_handler },

    { NGX_HTTP_GET, ngx_string("sessions/:id/events"),
      NGX_HTTP_FRONTDESK_LIGHT|NGX_HTTP_FRONTDESK_EVENTS,
      ngx_http_frontdesk_session_events_handler },

    { NGX_HTTP_POST, ngx_string("sessions/:id/rating"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_rating_handler },

    { NGX_HTTP_POST, ngx_string("sessions/:id/handoff"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_handoff_handler },

    { NGX_HTTP_POST, ngx_string("sessions/:id/identify"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_identify_handler },

    { NGX_HTTP_POST, ngx_string("sessions/:id/typing"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_typing_handler },

    { NGX_HTTP_POST, ngx_string("messages/:id/feedback"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_feedback_handler },

    { NGX_HTTP_DELETE, ngx_string("sessions/:id/end"),
      NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_end_handler },

    { NGX_HTTP_POST, ngx_string("chat/completions"),
      NGX_HTTP_FRONTDESK_OPENAI|NGX_HTTP_FRONTDESK_SECRET,
      ngx_http_frontdesk_completion_handler },

    { NGX_HTTP_GET|NGX_HTTP_HEAD, ngx_string("models"),
      NGX_HTTP_FRONTDESK_OPENAI|NGX_HTTP_FRONTDESK_SECRET
      |NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_models_handler },

    { NGX_HTTP_GET|NGX_HTTP_HEAD, ngx_string("models/*"),
      NGX_HTTP_FRONTDESK_OPENAI|NGX_HTTP_FRONTDESK_SECRET
      |NGX_HTTP_FRONTDESK_LIGHT,
      ngx_http_frontdesk_models_handler },

    { 0, ngx_null_string, 0, NULL }
};


/*
 * Where frontdesk_admin is on: paths and methods are the admin API's own.  What
 * is known here is who need not have signed in, or not just now; the process
 * behind does not trust it, see its own table.
 */

#define NGX_HTTP_FRONTDESK_ADMIN                                              \
    (NGX_HTTP_FRONTDESK_LIGHT|NGX_HTTP_FRONTDESK_SECRET|NGX_HTTP_FRONTDESK_USER)
#define NGX_HTTP_FRONTDESK_ADMIN_OPEN                                         \
    (NGX_HTTP_FRONTDESK_LIGHT|NGX_HTTP_FRONTDESK_KEYLESS)

static const ngx_http_frontdesk_route_t  ngx_http_frontdesk_admin_route = {
    0, ngx_string("admin"), NGX_HTTP_FRONTDESK_ADMIN, NULL
};

static const ngx_http_frontdesk_route_t  ngx_http_frontdesk_admin_routes[] = {

    { NGX_HTTP_POST, ngx_string("/api/admin/auth/login"),
      NGX_HTTP_FRONTDESK_ADMIN_OPEN, NULL },

    { NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST,
      ngx_string("/api/admin/auth/setup"),
      NGX_HTTP_FRONTDESK_ADMIN_OPEN, NULL },

    { NGX_HTTP_POST, ngx_string("/api/admin/auth/forgot"),
      NGX_HTTP_FRONTDESK_ADMIN_OPEN, NULL },

    { NGX_HTTP_POST, ngx_string("/api/admin/auth/reset"),
      NGX_HTTP_FRONTDESK_ADMIN_OPEN, NULL },

    { NGX_HTTP_POST, ngx_string("/api/admin/auth/refresh"),
      NGX_HTTP_FRONTDESK_ADMIN|NGX_HTTP_FRONTDESK_EXPIRED, NULL },

    { NGX_HTTP_POST, ngx_string("/api/admin/auth/logout"),
      NGX_HTTP_FRONTDESK_ADMIN|NGX_HTTP_FRONTDESK_EXPIRED, NULL },

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
ngx_http_frontdesk_route_handler(ngx_http_request_t *r)
{
    ngx_http_frontdesk_ctx_t  *ctx;

    /* a subrequest passes the access phase by */

    if (r != r->main) {
        return NGX_HTTP_FORBIDDEN;
    }

    ctx = ngx_http_frontdesk_get_ctx(r);

    if (ctx == NULL || ctx->judged != r->uri.data) {

        /* another access module let it in before us, by "satisfy any" */

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "frontdesk_api cannot be used with \"satisfy any\"");

        return ngx_http_frontdesk_fail(r, FD_PROBLEM_INTERNAL, NULL, NULL);
    }

    return ctx->route->handler(r, ctx);
}


ngx_int_t
ngx_http_frontdesk_route_find(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_uint_t *methods)
{
    u_char                            *p, *last;
    ngx_str_t                          id;
    ngx_http_frontdesk_loc_conf_t     *lcf;
    const ngx_http_frontdesk_route_t  *route;

    *methods = 0;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_frontdesk_module);

    if (lcf->admin) {
        ctx->route = ngx_http_frontdesk_route_admin(r);
        return NGX_OK;
    }

    p = ngx_http_frontdesk_route_below(r, ctx);

    if (p == NULL) {
        return NGX_DECLINED;
    }

    last = r->uri.data + r->uri.len;

    for (route = ngx_http_frontdesk_routes; route->handler; route++) {

        if (ctx->openai != ((route->flags & NGX_HTTP_FRONTDESK_OPENAI) != 0)) {
            continue;
        }

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


static const ngx_http_frontdesk_route_t *
ngx_http_frontdesk_route_admin(ngx_http_request_t *r)
{
    const ngx_http_frontdesk_route_t  *route;

    for (route = ngx_http_frontdesk_admin_routes; route->method; route++) {

        if ((route->method & r->method)
            && route->pattern.len == r->uri.len
            && ngx_strncmp(route->pattern.data, r->uri.data, r->uri.len) == 0)
        {
            return route;
        }
    }

    return &ngx_http_frontdesk_admin_route;
}


/* what follows the prefix, which tells whose manners count; NULL: neither */

static u_char *
ngx_http_frontdesk_route_below(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_uint_t  i;

    static const ngx_str_t  prefixes[] = {
        ngx_string(NGX_HTTP_FRONTDESK_PREFIX),
        ngx_string(NGX_HTTP_FRONTDESK_DOOR_PREFIX)
    };

    for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {

        if (r->uri.len >= prefixes[i].len
            && ngx_strncmp(r->uri.data, prefixes[i].data, prefixes[i].len) == 0)
        {
            ctx->openai = i;
            return r->uri.data + prefixes[i].len;
        }
    }

    return NULL;
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

        if (p == last) {
            return 0;
        }

        if (*s == '*') {
            id->data = p;
            id->len = last - p;
            return 1;
        }

        if (*s != *p) {
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
