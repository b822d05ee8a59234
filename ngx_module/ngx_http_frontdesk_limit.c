
/*
 * Limits: of light requests, in this host's zone, and what a limited client is
 * told.  Those of messages and session starts are Redis scripts.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/problem.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_events.h"
#include "ngx_http_frontdesk_limit.h"
#include "ngx_http_frontdesk_openai.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_route.h"
#include "ngx_http_frontdesk_zone_layout.h"


static ngx_int_t ngx_http_frontdesk_limit_spend(ngx_str_t *address,
    ngx_int_t per_minute);


/*
 * An IPv6 host has a whole /64 to itself: limited by address it would have as
 * many tries as it likes.
 */

ngx_str_t
ngx_http_frontdesk_address(ngx_http_request_t *r)
{
    u_char               *p;
    ngx_str_t             address;
#if (NGX_HAVE_INET6)
    u_char               *a;
    struct sockaddr_in6  *sin6;
#endif

    /* without memory for a name of its own, a client shares this one */

    ngx_str_set(&address, "unknown");

    p = ngx_pnalloc(r->pool, NGX_SOCKADDR_STRLEN + 1);
    if (p == NULL) {
        return address;
    }

    address.data = p;

#if (NGX_HAVE_INET6)

    if (r->connection->sockaddr->sa_family == AF_INET6) {

        sin6 = (struct sockaddr_in6 *) r->connection->sockaddr;
        a = sin6->sin6_addr.s6_addr;

        if (!IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            p = ngx_sprintf(p, "%xd:%xd:%xd:%xd::",
                            a[0] << 8 | a[1], a[2] << 8 | a[3],
                            a[4] << 8 | a[5], a[6] << 8 | a[7]);
            goto done;
        }
    }

#endif

    p = ngx_cpymem(p, r->connection->addr_text.data,
                   ngx_min(r->connection->addr_text.len, NGX_SOCKADDR_STRLEN));

#if (NGX_HAVE_INET6)
done:
#endif

    *p = '\0';
    address.len = p - address.data;

    return address;
}


/*
 * GCRA of this host: a request costs an interval, a minute of them may come at
 * once.  An address without a place takes that of the one nearest to full
 * credit.  NGX_OK, or the seconds to wait.
 */

static ngx_int_t
ngx_http_frontdesk_limit_spend(ngx_str_t *address, ngx_int_t per_minute)
{
    uint32_t                    low, high;
    uint64_t                    hash, now, tat, interval, wait;
    ngx_uint_t                  i;
    ngx_http_frontdesk_zone_t  *zone;
    ngx_http_frontdesk_rate_t  *set, *place;

    static const uint64_t  minute = 60000000;

    zone = ngx_http_frontdesk_zone_get();

    low = ngx_crc32_short(address->data, address->len);
    high = ngx_murmur_hash2(address->data, address->len);
    hash = (uint64_t) high << 32 | low;

    now = (uint64_t) ngx_current_msec * 1000;
    interval = minute / per_minute;
    wait = 0;

    ngx_shmtx_lock(&zone->shpool->mutex);

    set = &zone->sh->rates[(low & (zone->sh->rate_sets - 1))
                           * NGX_HTTP_FRONTDESK_LIMITS];
    place = &set[0];

    for (i = 0; i < NGX_HTTP_FRONTDESK_LIMITS; i++) {

        if (set[i].address == hash) {
            place = &set[i];
            break;
        }

        if (set[i].tat < place->tat) {
            place = &set[i];
        }
    }

    tat = (place->address == hash) ? ngx_max(place->tat, now) : now;
    tat += interval;

    if (tat > now + minute) {
        wait = tat - now - minute;

    } else {
        place->address = hash;
        place->tat = tat;
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    return (wait == 0) ? NGX_OK : (ngx_int_t) ((wait + 999999) / 1000000);
}


ngx_int_t
ngx_http_frontdesk_read_limit(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx)
{
    ngx_int_t                        wait;
    ngx_str_t                        address;
    struct fd_problem                problem;
    ngx_http_frontdesk_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_frontdesk_module);

    if (mcf->read_rate == 0) {
        return NGX_OK;
    }

    address = ngx_http_frontdesk_address(r);
    wait = ngx_http_frontdesk_limit_spend(&address, mcf->read_rate);

    if (wait == NGX_OK) {
        return NGX_OK;
    }

    ctx->limit = NGX_HTTP_FRONTDESK_LIMIT_REJECT;
    ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_READ_LIMITED);

    if (ctx->route->flags & NGX_HTTP_FRONTDESK_EVENTS) {
        ctx->refused = ngx_http_frontdesk_events_later(r, ctx);
        return NGX_DECLINED;
    }

    ngx_memzero(&problem, sizeof(struct fd_problem));

    problem.type = FD_PROBLEM_RATE;
    problem.detail = "too many requests from this address";
    problem.retry_after = wait;

    ctx->refused = ngx_http_frontdesk_problem(r, &problem);

    return NGX_DECLINED;
}


/*
 * draft-ietf-httpapi-ratelimit-headers, and the older names that client
 * libraries know
 */

ngx_int_t
ngx_http_frontdesk_rate_headers(ngx_http_request_t *r, ngx_int_t limit,
    ngx_int_t remaining, ngx_int_t reset_ms)
{
    ngx_int_t                  reset;
    ngx_http_frontdesk_ctx_t  *ctx;

    /* the reply to an admission that was sent twice does not know them */

    if (limit <= 0 || remaining < 0) {
        return NGX_OK;
    }

    reset = (reset_ms + 999) / 1000;

    if (ngx_http_frontdesk_number_header(r, "RateLimit-Policy",
                                         "\"org\";q=%i;w=60", limit, 0)
        != NGX_OK
        || ngx_http_frontdesk_number_header(r, "RateLimit", "\"org\";r=%i;t=%i",
                                            remaining, reset)
           != NGX_OK
        || ngx_http_frontdesk_number_header(r, "X-RateLimit-Limit", "%i",
                                            limit, 0)
           != NGX_OK
        || ngx_http_frontdesk_number_header(r, "X-RateLimit-Remaining", "%i",
                                            remaining, 0)
           != NGX_OK
        || ngx_http_frontdesk_number_header(r, "X-RateLimit-Reset", "%i",
                                            reset, 0)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx = ngx_http_frontdesk_get_ctx(r);

    if (ctx->openai) {
        return ngx_http_frontdesk_openai_rate_headers(r, limit, remaining,
                                                      reset);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_frontdesk_limited(ngx_http_request_t *r,
    ngx_http_frontdesk_ctx_t *ctx, ngx_str_t *which, ngx_int_t retry_after_ms,
    ngx_int_t limit)
{
    ngx_uint_t         i;
    struct fd_problem  problem;

    static const struct {
        ngx_str_t             name;
        enum fd_problem_type  type;
    } limits[] = {
        { ngx_string("rate"), FD_PROBLEM_RATE },
        { ngx_string("session"), FD_PROBLEM_SESSION_RATE },
        { ngx_string("address"), FD_PROBLEM_ADDRESS_RATE },
        { ngx_string("concurrency"), FD_PROBLEM_CONCURRENCY },
        { ngx_string("quota"), FD_PROBLEM_QUOTA }
    };

    ngx_memzero(&problem, sizeof(struct fd_problem));

    problem.type = FD_PROBLEM_RATE;
    problem.retry_after = ngx_max((retry_after_ms + 999) / 1000, 1);

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (which->len == limits[i].name.len
            && ngx_strncmp(which->data, limits[i].name.data, which->len) == 0)
        {
            problem.type = limits[i].type;
        }
    }

    ctx->limit = NGX_HTTP_FRONTDESK_LIMIT_REJECT;
    ngx_http_frontdesk_count(NGX_HTTP_FRONTDESK_COUNT_LIMITED);

    if (problem.type == FD_PROBLEM_RATE
        && ngx_http_frontdesk_rate_headers(r, limit, 0, retry_after_ms)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_frontdesk_refuse(r, &problem);
}
