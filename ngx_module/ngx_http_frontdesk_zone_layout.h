
/*
 * The layout of the shared memory zone, for the files that work in it: zone.c
 * sets it up, cache.c and entry.c have keys and configurations, limit.c the
 * read limits, counter.c the slots.
 *
 * Under the mutex there is nothing but looking up and copying.
 */


#ifndef _NGX_HTTP_FRONTDESK_ZONE_LAYOUT_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_ZONE_LAYOUT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/ids.h"

#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_key.h"


/* the layout below; a module with another one does not take the zone over */
#define NGX_HTTP_FRONTDESK_LAYOUT      0x46440002

#define NGX_HTTP_FRONTDESK_UNKNOWN     4      /* places for a hash value */
#define NGX_HTTP_FRONTDESK_LIMITS      8


typedef struct {
    ngx_queue_t                by_digest;     /* of a key only */
    ngx_queue_t                by_org;
    ngx_queue_t                lru;

    u_char                     org[NGX_HTTP_FRONTDESK_UUID];
    ngx_uint_t                 config;        /* or a key */
    ngx_atomic_uint_t          epoch;
    ngx_msec_t                 loaded;
    ngx_msec_t                 touched;

    u_char                     sha256[32];
    u_char                     id[NGX_HTTP_FRONTDESK_UUID];
    enum fd_key_kind           kind;
    int64_t                    generation;
    time_t                     expires;
    ngx_uint_t                 scope;

    size_t                     len;           /* origins, or JSON */
    u_char                     data[1];
} ngx_http_frontdesk_entry_t;


typedef struct {
    u_char                     sha256[16];    /* half of it is enough */
    ngx_atomic_uint_t          epoch;         /* 0 = empty */
    ngx_msec_t                 loaded;
} ngx_http_frontdesk_unknown_t;


typedef struct {
    uint64_t                   address;       /* hash */
    uint64_t                   tat;           /* us */
} ngx_http_frontdesk_rate_t;


typedef struct {
    uint32_t                   layout;

    ngx_atomic_t               epoch;         /* older entries are stale */
    ngx_atomic_t               version;       /* of any forgetting */

    ngx_uint_t                 keys;
    ngx_uint_t                 configs;
    ngx_uint_t                 evictions;

    ngx_queue_t                lru;
    ngx_uint_t                 buckets;       /* a power of two, as below */
    ngx_queue_t               *digests;
    ngx_queue_t               *orgs;

    ngx_uint_t                 unknown_sets;
    ngx_http_frontdesk_unknown_t  *unknown;

    ngx_uint_t                 rate_sets;
    ngx_http_frontdesk_rate_t *rates;

    ngx_http_frontdesk_slot_t *slots;
} ngx_http_frontdesk_shared_t;


typedef struct {
    ngx_http_frontdesk_shared_t  *sh;
    ngx_slab_pool_t              *shpool;
} ngx_http_frontdesk_zone_t;


ngx_http_frontdesk_zone_t *ngx_http_frontdesk_zone_get(void);


/* ngx_http_frontdesk_entry.c: all with the mutex held */

ngx_http_frontdesk_entry_t *ngx_http_frontdesk_entry_key(
    ngx_http_frontdesk_shared_t *sh, u_char *sha256);
ngx_http_frontdesk_entry_t *ngx_http_frontdesk_entry_config(
    ngx_http_frontdesk_shared_t *sh, ngx_str_t *org);
ngx_uint_t ngx_http_frontdesk_entry_usable(
    ngx_http_frontdesk_shared_t *sh, ngx_http_frontdesk_entry_t *entry,
    ngx_uint_t stale_ok);
void ngx_http_frontdesk_entry_touch(ngx_http_frontdesk_shared_t *sh,
    ngx_http_frontdesk_entry_t *entry);
ngx_http_frontdesk_entry_t *ngx_http_frontdesk_entry_add(
    ngx_http_frontdesk_zone_t *zone, ngx_uint_t config, ngx_str_t *org,
    ngx_str_t *data);
void ngx_http_frontdesk_entry_delete(ngx_http_frontdesk_zone_t *zone,
    ngx_http_frontdesk_entry_t *entry);
ngx_http_frontdesk_unknown_t *ngx_http_frontdesk_unknown_find(
    ngx_http_frontdesk_shared_t *sh, u_char *sha256);


#endif /* _NGX_HTTP_FRONTDESK_ZONE_LAYOUT_H_INCLUDED_ */
