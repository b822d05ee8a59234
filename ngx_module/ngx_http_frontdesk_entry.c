
/*
 * Entries of the zone: found, judged for their age, made and thrown away.
 * Everything here is called with the mutex held.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/limits.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_zone_layout.h"


#define NGX_HTTP_FRONTDESK_DATA_MAX  65536  /* of an entry */
#define NGX_HTTP_FRONTDESK_EVICT     16     /* at most, for one entry */
#define NGX_HTTP_FRONTDESK_TOUCH     1000   /* ms */


ngx_http_frontdesk_entry_t *
ngx_http_frontdesk_entry_key(ngx_http_frontdesk_shared_t *sh, u_char *sha256)
{
    uint32_t                     hash;
    ngx_queue_t                 *q, *bucket;
    ngx_http_frontdesk_entry_t  *entry;

    ngx_memcpy(&hash, sha256, sizeof(uint32_t));

    bucket = &sh->digests[hash & (sh->buckets - 1)];

    for (q = ngx_queue_head(bucket); q != bucket; q = ngx_queue_next(q)) {

        entry = ngx_queue_data(q, ngx_http_frontdesk_entry_t, by_digest);

        if (ngx_memcmp(entry->sha256, sha256, 32) == 0) {
            return entry;
        }
    }

    return NULL;
}


ngx_http_frontdesk_entry_t *
ngx_http_frontdesk_entry_config(ngx_http_frontdesk_shared_t *sh,
    ngx_str_t *org)
{
    ngx_queue_t                 *q, *bucket;
    ngx_http_frontdesk_entry_t  *entry;

    bucket = &sh->orgs[ngx_murmur_hash2(org->data, org->len)
                       & (sh->buckets - 1)];

    for (q = ngx_queue_head(bucket); q != bucket; q = ngx_queue_next(q)) {

        entry = ngx_queue_data(q, ngx_http_frontdesk_entry_t, by_org);

        if (entry->config
            && ngx_memcmp(entry->org, org->data, NGX_HTTP_FRONTDESK_UUID) == 0)
        {
            return entry;
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_frontdesk_entry_usable(ngx_http_frontdesk_shared_t *sh,
    ngx_http_frontdesk_entry_t *entry, ngx_uint_t stale_ok)
{
    ngx_msec_t  age;

    age = ngx_current_msec - entry->loaded;

    /* another process's clock may be ahead by a turn of its loop */

    if ((ngx_msec_int_t) age < 0) {
        age = 0;
    }

    if (stale_ok) {
        return age < FD_CONFIG_STALE_MS;
    }

    return entry->epoch == sh->epoch
           && age < ngx_http_frontdesk_main_conf()->key_ttl;
}


/*
 * At most once in a while: what is read all the time would have its cache lines
 * travel between the processors for an order that hardly changes.
 */

void
ngx_http_frontdesk_entry_touch(ngx_http_frontdesk_shared_t *sh,
    ngx_http_frontdesk_entry_t *entry)
{
    if (ngx_current_msec - entry->touched < NGX_HTTP_FRONTDESK_TOUCH) {
        return;
    }

    entry->touched = ngx_current_msec;

    ngx_queue_remove(&entry->lru);
    ngx_queue_insert_head(&sh->lru, &entry->lru);
}


/* an entry without memory for it is not cached, the request is served */

ngx_http_frontdesk_entry_t *
ngx_http_frontdesk_entry_add(ngx_http_frontdesk_zone_t *zone,
    ngx_uint_t config, ngx_str_t *org, ngx_str_t *data)
{
    size_t                       size;
    ngx_uint_t                   i;
    ngx_queue_t                 *bucket;
    ngx_http_frontdesk_entry_t  *entry;

    if (org->len != NGX_HTTP_FRONTDESK_UUID
        || data->len > NGX_HTTP_FRONTDESK_DATA_MAX)
    {
        return NULL;
    }

    size = offsetof(ngx_http_frontdesk_entry_t, data) + data->len;

    for (i = 0; /* void */ ; i++) {

        entry = ngx_slab_alloc_locked(zone->shpool, size);

        if (entry) {
            break;
        }

        if (i == NGX_HTTP_FRONTDESK_EVICT || ngx_queue_empty(&zone->sh->lru)) {
            return NULL;
        }

        ngx_http_frontdesk_entry_delete(zone,
                            ngx_queue_data(ngx_queue_last(&zone->sh->lru),
                                           ngx_http_frontdesk_entry_t, lru));
        zone->sh->evictions++;
    }

    ngx_memcpy(entry->org, org->data, NGX_HTTP_FRONTDESK_UUID);

    entry->config = config;
    entry->epoch = zone->sh->epoch;
    entry->loaded = ngx_current_msec;
    entry->touched = ngx_current_msec;

    entry->len = data->len;
    ngx_memcpy(entry->data, data->data, data->len);

    bucket = &zone->sh->orgs[ngx_murmur_hash2(org->data, org->len)
                             & (zone->sh->buckets - 1)];

    ngx_queue_insert_head(bucket, &entry->by_org);
    ngx_queue_insert_head(&zone->sh->lru, &entry->lru);

    return entry;
}


void
ngx_http_frontdesk_entry_delete(ngx_http_frontdesk_zone_t *zone,
    ngx_http_frontdesk_entry_t *entry)
{
    ngx_queue_remove(&entry->lru);
    ngx_queue_remove(&entry->by_org);

    if (entry->config) {
        zone->sh->configs--;

    } else {
        ngx_queue_remove(&entry->by_digest);
        zone->sh->keys--;
    }

    ngx_slab_free_locked(zone->shpool, entry);
}


ngx_http_frontdesk_unknown_t *
ngx_http_frontdesk_unknown_find(ngx_http_frontdesk_shared_t *sh,
    u_char *sha256)
{
    uint32_t                       hash;
    ngx_uint_t                     i;
    ngx_http_frontdesk_unknown_t  *set;

    ngx_memcpy(&hash, sha256, sizeof(uint32_t));

    set = &sh->unknown[(hash & (sh->unknown_sets - 1))
                       * NGX_HTTP_FRONTDESK_UNKNOWN];

    for (i = 0; i < NGX_HTTP_FRONTDESK_UNKNOWN; i++) {

        if (set[i].epoch == sh->epoch
            && ngx_memcmp(set[i].sha256, sha256, 16) == 0
            && (ngx_msec_int_t) (ngx_current_msec - set[i].loaded)
               < (ngx_msec_int_t) ngx_http_frontdesk_main_conf()->negative_ttl)
        {
            return &set[i];
        }
    }

    return NULL;
}
