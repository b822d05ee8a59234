
/*
 * Keys and configurations in the zone.  They share one list, the least recently
 * used go first when memory is wanted.  Keys known to be nobody's live in a
 * table with a few places for each hash value, so that guessing displaces only
 * other guesses.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_zone.h"
#include "ngx_http_frontdesk_zone_layout.h"


static void ngx_http_frontdesk_key_copy(ngx_http_frontdesk_key_t *key,
    ngx_http_frontdesk_entry_t *entry, u_char *p);


ngx_int_t
ngx_http_frontdesk_zone_key_get(u_char sha256[32], ngx_pool_t *pool,
    ngx_http_frontdesk_key_t *key, ngx_uint_t stale_ok)
{
    size_t                         len, size;
    u_char                        *p;
    ngx_uint_t                     unknown;
    ngx_http_frontdesk_zone_t     *zone;
    ngx_http_frontdesk_entry_t    *entry;
    ngx_http_frontdesk_unknown_t  *place;

    zone = ngx_http_frontdesk_zone_get();

    /* room for both ids and the usual list of origins */

    size = 256;

    for ( ;; ) {

        p = ngx_pnalloc(pool, 2 * (NGX_HTTP_FRONTDESK_UUID + 1) + size + 1);
        if (p == NULL) {
            return NGX_AGAIN;
        }

        ngx_shmtx_lock(&zone->shpool->mutex);

        entry = ngx_http_frontdesk_entry_key(zone->sh, sha256);

        if (entry == NULL
            || !ngx_http_frontdesk_entry_usable(zone->sh, entry, stale_ok))
        {
            place = ngx_http_frontdesk_unknown_find(zone->sh, sha256);
            unknown = (place != NULL);

            ngx_shmtx_unlock(&zone->shpool->mutex);

            return unknown ? NGX_DECLINED : NGX_AGAIN;
        }

        len = entry->len;

        if (len <= size) {
            break;
        }

        /* the pool may have to ask the system for memory: not in here */

        ngx_shmtx_unlock(&zone->shpool->mutex);

        size = len;
    }

    ngx_http_frontdesk_entry_touch(zone->sh, entry);

    ngx_http_frontdesk_key_copy(key, entry, p);

    ngx_shmtx_unlock(&zone->shpool->mutex);

    ngx_memcpy(key->sha256, sha256, 32);

    return NGX_OK;
}


/* p has room for both ids, the origins, and a NUL behind each */

static void
ngx_http_frontdesk_key_copy(ngx_http_frontdesk_key_t *key,
    ngx_http_frontdesk_entry_t *entry, u_char *p)
{
    key->kind = entry->kind;
    key->generation = entry->generation;
    key->expires = entry->expires;
    key->scope = entry->scope;

    key->org.data = p;
    key->org.len = NGX_HTTP_FRONTDESK_UUID;
    p = ngx_cpymem(p, entry->org, NGX_HTTP_FRONTDESK_UUID);
    *p++ = '\0';

    key->id.data = p;
    key->id.len = NGX_HTTP_FRONTDESK_UUID;
    p = ngx_cpymem(p, entry->id, NGX_HTTP_FRONTDESK_UUID);
    *p++ = '\0';

    key->origins.data = p;
    key->origins.len = entry->len;
    p = ngx_cpymem(p, entry->data, entry->len);
    *p = '\0';
}


void
ngx_http_frontdesk_zone_key_set(ngx_http_frontdesk_key_t *key,
    ngx_atomic_uint_t version)
{
    uint32_t                       hash;
    ngx_http_frontdesk_zone_t     *zone;
    ngx_http_frontdesk_entry_t    *entry;
    ngx_http_frontdesk_unknown_t  *place;

    zone = ngx_http_frontdesk_zone_get();

    ngx_shmtx_lock(&zone->shpool->mutex);

    if (zone->sh->version != version) {
        ngx_shmtx_unlock(&zone->shpool->mutex);
        return;
    }

    place = ngx_http_frontdesk_unknown_find(zone->sh, key->sha256);
    if (place) {
        place->epoch = 0;
    }

    entry = ngx_http_frontdesk_entry_key(zone->sh, key->sha256);
    if (entry) {
        ngx_http_frontdesk_entry_delete(zone, entry);
    }

    entry = ngx_http_frontdesk_entry_add(zone, 0, &key->org, &key->origins);

    if (entry) {
        ngx_memcpy(entry->sha256, key->sha256, 32);
        ngx_memcpy(entry->id, key->id.data, NGX_HTTP_FRONTDESK_UUID);

        entry->kind = key->kind;
        entry->generation = key->generation;
        entry->expires = key->expires;
        entry->scope = key->scope;

        ngx_memcpy(&hash, key->sha256, sizeof(uint32_t));

        ngx_queue_insert_head(&zone->sh->digests[hash
                                                 & (zone->sh->buckets - 1)],
                              &entry->by_digest);
        zone->sh->keys++;
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


void
ngx_http_frontdesk_zone_key_set_unknown(u_char sha256[32],
    ngx_atomic_uint_t version)
{
    uint32_t                       hash;
    ngx_uint_t                     i;
    ngx_http_frontdesk_zone_t     *zone;
    ngx_http_frontdesk_entry_t    *entry;
    ngx_http_frontdesk_unknown_t  *set, *place;

    zone = ngx_http_frontdesk_zone_get();

    ngx_shmtx_lock(&zone->shpool->mutex);

    if (zone->sh->version != version) {
        ngx_shmtx_unlock(&zone->shpool->mutex);
        return;
    }

    entry = ngx_http_frontdesk_entry_key(zone->sh, sha256);
    if (entry) {
        ngx_http_frontdesk_entry_delete(zone, entry);
    }

    ngx_memcpy(&hash, sha256, sizeof(uint32_t));

    set = &zone->sh->unknown[(hash & (zone->sh->unknown_sets - 1))
                             * NGX_HTTP_FRONTDESK_UNKNOWN];
    place = &set[0];

    for (i = 0; i < NGX_HTTP_FRONTDESK_UNKNOWN; i++) {

        if (set[i].epoch != zone->sh->epoch
            || ngx_memcmp(set[i].sha256, sha256, 16) == 0)
        {
            place = &set[i];
            break;
        }

        if ((ngx_msec_int_t) (set[i].loaded - place->loaded) < 0) {
            place = &set[i];
        }
    }

    ngx_memcpy(place->sha256, sha256, 16);
    place->loaded = ngx_current_msec;
    place->epoch = zone->sh->epoch;

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


void
ngx_http_frontdesk_zone_key_forget(u_char sha256[32])
{
    ngx_http_frontdesk_zone_t     *zone;
    ngx_http_frontdesk_entry_t    *entry;
    ngx_http_frontdesk_unknown_t  *place;

    zone = ngx_http_frontdesk_zone_get();

    ngx_shmtx_lock(&zone->shpool->mutex);

    zone->sh->version++;

    entry = ngx_http_frontdesk_entry_key(zone->sh, sha256);
    if (entry) {
        ngx_http_frontdesk_entry_delete(zone, entry);
    }

    place = ngx_http_frontdesk_unknown_find(zone->sh, sha256);
    if (place) {
        place->epoch = 0;
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


ngx_int_t
ngx_http_frontdesk_zone_config_get(ngx_str_t *org, ngx_pool_t *pool,
    ngx_str_t *json, ngx_uint_t stale_ok)
{
    size_t                       len, size;
    ngx_http_frontdesk_zone_t   *zone;
    ngx_http_frontdesk_entry_t  *entry;

    zone = ngx_http_frontdesk_zone_get();

    size = 0;
    json->data = NULL;

    for ( ;; ) {

        ngx_shmtx_lock(&zone->shpool->mutex);

        entry = ngx_http_frontdesk_entry_config(zone->sh, org);

        if (entry == NULL
            || !ngx_http_frontdesk_entry_usable(zone->sh, entry, stale_ok))
        {
            ngx_shmtx_unlock(&zone->shpool->mutex);
            return NGX_AGAIN;
        }

        len = entry->len;

        if (len <= size) {
            ngx_http_frontdesk_entry_touch(zone->sh, entry);

            ngx_memcpy(json->data, entry->data, len);
            ngx_shmtx_unlock(&zone->shpool->mutex);

            json->len = len;
            return NGX_OK;
        }

        ngx_shmtx_unlock(&zone->shpool->mutex);

        json->data = ngx_pnalloc(pool, len);
        if (json->data == NULL) {
            return NGX_AGAIN;
        }

        size = len;
    }
}


void
ngx_http_frontdesk_zone_config_set(ngx_str_t *org, ngx_str_t *json,
    ngx_atomic_uint_t version)
{
    ngx_http_frontdesk_zone_t   *zone;
    ngx_http_frontdesk_entry_t  *entry;

    zone = ngx_http_frontdesk_zone_get();

    ngx_shmtx_lock(&zone->shpool->mutex);

    if (zone->sh->version == version) {

        entry = ngx_http_frontdesk_entry_config(zone->sh, org);
        if (entry) {
            ngx_http_frontdesk_entry_delete(zone, entry);
        }

        if (ngx_http_frontdesk_entry_add(zone, 1, org, json)) {
            zone->sh->configs++;
        }
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


void
ngx_http_frontdesk_zone_org_forget(u_char *org, size_t len)
{
    ngx_queue_t                 *q, *next, *bucket;
    ngx_http_frontdesk_zone_t   *zone;
    ngx_http_frontdesk_entry_t  *entry;

    if (len != NGX_HTTP_FRONTDESK_UUID) {
        return;
    }

    zone = ngx_http_frontdesk_zone_get();

    ngx_shmtx_lock(&zone->shpool->mutex);

    zone->sh->version++;

    bucket = &zone->sh->orgs[ngx_murmur_hash2(org, len)
                             & (zone->sh->buckets - 1)];

    for (q = ngx_queue_head(bucket); q != bucket; q = next) {
        next = ngx_queue_next(q);

        entry = ngx_queue_data(q, ngx_http_frontdesk_entry_t, by_org);

        if (ngx_memcmp(entry->org, org, NGX_HTTP_FRONTDESK_UUID) == 0) {
            ngx_http_frontdesk_entry_delete(zone, entry);
        }
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


void
ngx_http_frontdesk_zone_flush(void)
{
    ngx_http_frontdesk_zone_t  *zone;

    zone = ngx_http_frontdesk_zone_get();

    ngx_shmtx_lock(&zone->shpool->mutex);

    zone->sh->version++;
    zone->sh->epoch++;

    ngx_shmtx_unlock(&zone->shpool->mutex);
}
