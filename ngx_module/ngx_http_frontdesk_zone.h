
/*
 * What the processes of a host share - keys and configurations, and how much of
 * it: ngx_http_frontdesk_cache.c, ngx_http_frontdesk_zone.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_ZONE_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_key.h"


/* NGX_OK known, NGX_DECLINED known to be nobody's, NGX_AGAIN unknown or old */
ngx_int_t ngx_http_frontdesk_zone_key_get(u_char sha256[32], ngx_pool_t *pool,
    ngx_http_frontdesk_key_t *key, ngx_uint_t stale_ok);
/*
 * Taken before Redis is asked: what was read is stored only if nothing was
 * forgotten meanwhile, else a revocation that overtook the reply would be lost.
 */
ngx_atomic_uint_t ngx_http_frontdesk_zone_version(void);
void ngx_http_frontdesk_zone_key_set(ngx_http_frontdesk_key_t *key,
    ngx_atomic_uint_t version);
void ngx_http_frontdesk_zone_key_set_unknown(u_char sha256[32],
    ngx_atomic_uint_t version);
void ngx_http_frontdesk_zone_key_forget(u_char sha256[32]);
/* json is copied into the pool; NGX_OK, or NGX_AGAIN: unknown or old */
ngx_int_t ngx_http_frontdesk_zone_config_get(ngx_str_t *org, ngx_pool_t *pool,
    ngx_str_t *json, ngx_uint_t stale_ok);
void ngx_http_frontdesk_zone_config_set(ngx_str_t *org, ngx_str_t *json,
    ngx_atomic_uint_t version);
void ngx_http_frontdesk_zone_org_forget(u_char *org, size_t len);
/* everything, after the control channel was away; stale reads still find it */
void ngx_http_frontdesk_zone_flush(void);


typedef struct {
    ngx_uint_t                 keys;        /* cached now */
    ngx_uint_t                 configs;
    ngx_uint_t                 evictions;   /* ever, for want of memory */
    ngx_uint_t                 free_pages;  /* of the slab */
} ngx_http_frontdesk_usage_t;

void ngx_http_frontdesk_zone_usage(ngx_http_frontdesk_usage_t *usage);


#endif /* _NGX_HTTP_FRONTDESK_ZONE_H_INCLUDED_ */
