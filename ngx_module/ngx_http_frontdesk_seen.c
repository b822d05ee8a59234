
/*
 * Which sites ask for a configuration, and with which key: word of it is left
 * in the live Redis, at most once a minute for each, and never waited for.
 *
 * Origins can be made up.  What is remembered here has a fixed size, and what
 * is told in a second is bounded, of a key and in all: who makes them up for
 * one key leaves room for the others.  Those that were refused are counted
 * apart, and leave room for those that were not.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/ids.h"
#include "protocol/keys.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_cors.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_redis.h"


#define NGX_HTTP_FRONTDESK_SEEN_PLACES   1024   /* a power of two */
#define NGX_HTTP_FRONTDESK_SEEN_EVERY    60     /* s */
#define NGX_HTTP_FRONTDESK_SEEN_ALLOWED  50     /* a second */
#define NGX_HTTP_FRONTDESK_SEEN_REFUSED  20
#define NGX_HTTP_FRONTDESK_SEEN_KEYS     1024   /* a power of two */
#define NGX_HTTP_FRONTDESK_SEEN_OF_KEY   2      /* a second, of each kind */
#define NGX_HTTP_FRONTDESK_SEEN_ORIGIN   300
#define NGX_HTTP_FRONTDESK_SEEN_VERSION  32
#define NGX_HTTP_FRONTDESK_SEEN_ARGS     16


typedef struct {
    uint64_t                   hash;
    time_t                     told;
} ngx_http_frontdesk_seen_t;


typedef struct {
    ngx_uint_t                 all;
    u_char                     keys[NGX_HTTP_FRONTDESK_SEEN_KEYS];
} ngx_http_frontdesk_spent_t;


static uint64_t ngx_http_frontdesk_seen_hash(ngx_http_frontdesk_key_t *key,
    ngx_str_t *origin, ngx_uint_t allowed);
static ngx_uint_t ngx_http_frontdesk_seen_spend(ngx_http_frontdesk_key_t *key,
    ngx_uint_t allowed);
static ngx_uint_t ngx_http_frontdesk_seen_version(ngx_http_request_t *r,
    ngx_str_t *version);
static ngx_int_t ngx_http_frontdesk_seen_tell(ngx_http_request_t *r,
    ngx_http_frontdesk_key_t *key, ngx_str_t *origin, ngx_uint_t allowed);


static ngx_http_frontdesk_seen_t  ngx_http_frontdesk_seen_places
                                      [NGX_HTTP_FRONTDESK_SEEN_PLACES];

static time_t                      ngx_http_frontdesk_seen_second;
static ngx_http_frontdesk_spent_t  ngx_http_frontdesk_seen_spent[2];


void
ngx_http_frontdesk_seen(ngx_http_request_t *r, ngx_http_frontdesk_ctx_t *ctx,
    ngx_uint_t allowed)
{
    uint64_t                    hash;
    ngx_str_t                   site, origin;
    ngx_http_frontdesk_seen_t  *place;

    u_char  buf[NGX_HTTP_FRONTDESK_SEEN_ORIGIN];

    if (ctx->key->kind != FD_KEY_PUBLISHABLE) {
        return;
    }

    site = ctx->origin;

    if ((site.len == 0 && ngx_http_frontdesk_cors_site(r, &site) != NGX_OK)
        || site.len > sizeof(buf))
    {
        return;
    }

    ngx_strlow(buf, site.data, site.len);
    origin.data = buf;
    origin.len = site.len;

    hash = ngx_http_frontdesk_seen_hash(ctx->key, &origin, allowed);
    place = &ngx_http_frontdesk_seen_places
                 [hash & (NGX_HTTP_FRONTDESK_SEEN_PLACES - 1)];

    if (place->hash == hash
        && ngx_time() - place->told < NGX_HTTP_FRONTDESK_SEEN_EVERY)
    {
        return;
    }

    if (ngx_http_frontdesk_seen_spend(ctx->key, allowed)
        && ngx_http_frontdesk_seen_tell(r, ctx->key, &origin, allowed)
           == NGX_OK)
    {
        place->hash = hash;
        place->told = ngx_time();
    }
}


/* a key's hash is as good as any; who finds two origins alike hides his own */

static uint64_t
ngx_http_frontdesk_seen_hash(ngx_http_frontdesk_key_t *key, ngx_str_t *origin,
    ngx_uint_t allowed)
{
    uint32_t  low, high;
    uint64_t  hash;

    ngx_memcpy(&hash, key->sha256, sizeof(hash));

    low = ngx_murmur_hash2(origin->data, origin->len);
    high = ngx_crc32_short(origin->data, origin->len) + (uint32_t) allowed;

    return hash ^ ((uint64_t) high << 32 | low);
}


/* two keys that fall on one place share what is a key's */

static ngx_uint_t
ngx_http_frontdesk_seen_spend(ngx_http_frontdesk_key_t *key,
    ngx_uint_t allowed)
{
    uint32_t                     hash;
    ngx_uint_t                   max;
    ngx_http_frontdesk_spent_t  *spent;

    if (ngx_http_frontdesk_seen_second != ngx_time()) {
        ngx_http_frontdesk_seen_second = ngx_time();
        ngx_memzero(ngx_http_frontdesk_seen_spent,
                    sizeof(ngx_http_frontdesk_seen_spent));
    }

    ngx_memcpy(&hash, key->sha256, sizeof(hash));
    hash &= NGX_HTTP_FRONTDESK_SEEN_KEYS - 1;

    spent = &ngx_http_frontdesk_seen_spent[allowed];
    max = allowed ? NGX_HTTP_FRONTDESK_SEEN_ALLOWED
                  : NGX_HTTP_FRONTDESK_SEEN_REFUSED;

    if (spent->all == max
        || spent->keys[hash] == NGX_HTTP_FRONTDESK_SEEN_OF_KEY)
    {
        return 0;
    }

    spent->all++;
    spent->keys[hash]++;

    return 1;
}


/* the widget may say which it is: ?v= */

static ngx_uint_t
ngx_http_frontdesk_seen_version(ngx_http_request_t *r, ngx_str_t *version)
{
    u_char  *p, c;

    if (r->args.len == 0
        || ngx_http_arg(r, (u_char *) "v", 1, version) != NGX_OK
        || version->len == 0
        || version->len > NGX_HTTP_FRONTDESK_SEEN_VERSION)
    {
        return 0;
    }

    for (p = version->data; p < version->data + version->len; p++) {
        c = (u_char) (*p | 0x20);

        if ((c < 'a' || c > 'z') && (*p < '0' || *p > '9')
            && *p != '.' && *p != '-' && *p != '_')
        {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_frontdesk_seen_tell(ngx_http_request_t *r,
    ngx_http_frontdesk_key_t *key, ngx_str_t *origin, ngx_uint_t allowed)
{
    ngx_str_t   argv[NGX_HTTP_FRONTDESK_SEEN_ARGS];
    ngx_uint_t  n;

    n = 0;

    ngx_str_set(&argv[n], "XADD"); n++;
    ngx_str_set(&argv[n], FD_KEY_SEEN); n++;
    ngx_str_set(&argv[n], "MAXLEN"); n++;
    ngx_str_set(&argv[n], "~"); n++;
    ngx_str_set(&argv[n], FD_SEEN_MAX); n++;
    ngx_str_set(&argv[n], "*"); n++;
    ngx_str_set(&argv[n], FD_SEEN_ORG); n++;
    argv[n++] = key->org;
    ngx_str_set(&argv[n], FD_SEEN_KEY); n++;
    argv[n++] = key->id;
    ngx_str_set(&argv[n], FD_SEEN_ORIGIN); n++;
    argv[n++] = *origin;
    ngx_str_set(&argv[n], FD_SEEN_ALLOWED); n++;
    argv[n].data = (u_char *) (allowed ? "1" : "0");
    argv[n++].len = 1;

    if (ngx_http_frontdesk_seen_version(r, &argv[n + 1])) {
        ngx_str_set(&argv[n], FD_SEEN_VERSION);
        n += 2;
    }

    return ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE, NULL,
                                            NULL, n, argv)
           ? NGX_OK : NGX_ERROR;
}
