
/*
 * The shared memory zone: its directive, and how it is laid out or taken over.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_zone.h"
#include "ngx_http_frontdesk_zone_layout.h"


#define NGX_HTTP_FRONTDESK_ZONE_MIN  (256 * 1024)


static ngx_int_t ngx_http_frontdesk_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_frontdesk_zone_tables(
    ngx_http_frontdesk_zone_t *zone, size_t size);


char *
ngx_http_frontdesk_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_frontdesk_main_conf_t *mcf = conf;

    u_char                     *p;
    ssize_t                     size;
    ngx_str_t                  *value, name, s;
    ngx_shm_zone_t             *shm_zone;
    ngx_http_frontdesk_zone_t  *zone;

    if (mcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    p = (u_char *) ngx_strchr(value[1].data, ':');

    if (p == NULL || p == value[1].data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone \"%V\": name:size is wanted",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    name.data = value[1].data;
    name.len = p - name.data;

    s.data = p + 1;
    s.len = value[1].data + value[1].len - s.data;

    size = ngx_parse_size(&s);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid zone size \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    if (size < NGX_HTTP_FRONTDESK_ZONE_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small: at least %dk is wanted",
                           &value[1], NGX_HTTP_FRONTDESK_ZONE_MIN / 1024);
        return NGX_CONF_ERROR;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_frontdesk_zone_t));
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    shm_zone = ngx_shared_memory_add(cf, &name, size,
                                     &ngx_http_frontdesk_module);
    if (shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    shm_zone->init = ngx_http_frontdesk_zone_init;
    shm_zone->data = zone;

    mcf->zone = shm_zone;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_frontdesk_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_frontdesk_zone_t *old = data;

    size_t                      len;
    ngx_http_frontdesk_zone_t  *zone;

    zone = shm_zone->data;
    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (old || shm_zone->shm.exists) {

        zone->sh = zone->shpool->data;

        if (zone->sh->layout != NGX_HTTP_FRONTDESK_LAYOUT) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "frontdesk_zone \"%V\" was made by another version "
                          "of the module: restart nginx, or change the name "
                          "of the zone", &shm_zone->shm.name);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    len = sizeof(" in frontdesk_zone \"\"") + shm_zone->shm.name.len;

    zone->shpool->log_ctx = ngx_slab_alloc(zone->shpool, len);
    if (zone->shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(zone->shpool->log_ctx, " in frontdesk_zone \"%V\"%Z",
                &shm_zone->shm.name);

    /* a full zone is everyday life here */
    zone->shpool->log_nomem = 0;

    return ngx_http_frontdesk_zone_tables(zone, shm_zone->shm.size);
}


/* slots, buckets and tables take less than a third of the smallest zone */

static ngx_int_t
ngx_http_frontdesk_zone_tables(ngx_http_frontdesk_zone_t *zone, size_t size)
{
    ngx_uint_t                    i;
    ngx_slab_pool_t              *shpool;
    ngx_http_frontdesk_shared_t  *sh;

    shpool = zone->shpool;

    sh = ngx_slab_calloc(shpool, sizeof(ngx_http_frontdesk_shared_t));
    if (sh == NULL) {
        return NGX_ERROR;
    }

    for (sh->buckets = 64; sh->buckets < size / 4096; sh->buckets *= 2) {
        /* void */
    }

    sh->unknown_sets = sh->buckets;
    sh->rate_sets = sh->buckets;

    sh->digests = ngx_slab_alloc(shpool, sh->buckets * sizeof(ngx_queue_t));
    sh->orgs = ngx_slab_alloc(shpool, sh->buckets * sizeof(ngx_queue_t));
    sh->unknown = ngx_slab_calloc(shpool,
                                  sh->unknown_sets * NGX_HTTP_FRONTDESK_UNKNOWN
                                  * sizeof(ngx_http_frontdesk_unknown_t));
    sh->rates = ngx_slab_calloc(shpool, sh->rate_sets
                                        * NGX_HTTP_FRONTDESK_LIMITS
                                        * sizeof(ngx_http_frontdesk_rate_t));
    sh->slots = ngx_slab_calloc(shpool, NGX_HTTP_FRONTDESK_SLOTS
                                        * sizeof(ngx_http_frontdesk_slot_t));

    if (sh->digests == NULL || sh->orgs == NULL || sh->unknown == NULL
        || sh->rates == NULL || sh->slots == NULL)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < sh->buckets; i++) {
        ngx_queue_init(&sh->digests[i]);
        ngx_queue_init(&sh->orgs[i]);
    }

    ngx_queue_init(&sh->lru);

    sh->epoch = 1;
    sh->layout = NGX_HTTP_FRONTDESK_LAYOUT;

    shpool->data = sh;
    zone->sh = sh;

    return NGX_OK;
}


ngx_http_frontdesk_zone_t *
ngx_http_frontdesk_zone_get(void)
{
    return ngx_http_frontdesk_main_conf()->zone->data;
}


ngx_atomic_uint_t
ngx_http_frontdesk_zone_version(void)
{
    return ngx_http_frontdesk_zone_get()->sh->version;
}


ngx_http_frontdesk_slot_t *
ngx_http_frontdesk_zone_slots(void)
{
    return ngx_http_frontdesk_zone_get()->sh->slots;
}


void
ngx_http_frontdesk_zone_usage(ngx_http_frontdesk_usage_t *usage)
{
    ngx_http_frontdesk_zone_t  *zone;

    zone = ngx_http_frontdesk_zone_get();

    ngx_shmtx_lock(&zone->shpool->mutex);

    usage->keys = zone->sh->keys;
    usage->configs = zone->sh->configs;
    usage->evictions = zone->sh->evictions;
    usage->free_pages = zone->shpool->pfree;

    ngx_shmtx_unlock(&zone->shpool->mutex);
}
