
/*
 * What is configured: its defaults, how locations inherit it, and directives
 * that are more than a value.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/limits.h"

#include "ngx_http_frontdesk_asset.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_service.h"


#define NGX_HTTP_FRONTDESK_REDIS_PORT  6379


/* in the order of their enumeration */

static const ngx_http_handler_pt  ngx_http_frontdesk_services[] = {
    NULL,
    ngx_http_frontdesk_route_handler,
    ngx_http_frontdesk_asset_handler,
    ngx_http_frontdesk_status_handler,
    ngx_http_frontdesk_status_handler,
    ngx_http_frontdesk_status_handler,
    ngx_http_frontdesk_error_handler
};


ngx_http_frontdesk_main_conf_t *
ngx_http_frontdesk_main_conf(void)
{
    return ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_frontdesk_module);
}


void *
ngx_http_frontdesk_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_frontdesk_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_frontdesk_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     mcf->redis[] = { { 0, NULL }, NULL, { 0, NULL } };
     *     mcf->zone = NULL;
     *     mcf->used = 0;
     */

    mcf->queue_length = NGX_CONF_UNSET;
    mcf->queue_bytes = NGX_CONF_UNSET_SIZE;
    mcf->session_rate = NGX_CONF_UNSET;
    mcf->start_rate = NGX_CONF_UNSET;
    mcf->read_rate = NGX_CONF_UNSET;
    mcf->redis_timeout = NGX_CONF_UNSET_MSEC;
    mcf->key_ttl = NGX_CONF_UNSET_MSEC;
    mcf->negative_ttl = NGX_CONF_UNSET_MSEC;
    mcf->max_body = NGX_CONF_UNSET_SIZE;

    return mcf;
}


char *
ngx_http_frontdesk_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_frontdesk_main_conf_t *mcf = conf;

    ngx_conf_init_value(mcf->queue_length, FD_QUEUE_LENGTH_MAX);
    ngx_conf_init_size_value(mcf->queue_bytes, FD_QUEUE_BYTES_MAX);
    ngx_conf_init_value(mcf->session_rate, 20);
    ngx_conf_init_value(mcf->start_rate, 120);
    ngx_conf_init_value(mcf->read_rate, 600);
    ngx_conf_init_msec_value(mcf->redis_timeout, 500);
    ngx_conf_init_msec_value(mcf->key_ttl, 60000);
    ngx_conf_init_msec_value(mcf->negative_ttl, 5000);
    ngx_conf_init_size_value(mcf->max_body, FD_BODY_MAX);

    if (mcf->max_body == 0 || mcf->max_body > FD_BODY_MAX) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"frontdesk_max_body\" must be between 1 and %d bytes",
                      FD_BODY_MAX);
        return NGX_CONF_ERROR;
    }

    if (mcf->redis_timeout == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"frontdesk_redis_timeout\" must not be 0");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


void *
ngx_http_frontdesk_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_frontdesk_loc_conf_t  *lcf;

    lcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_frontdesk_loc_conf_t));
    if (lcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     lcf->service = NGX_HTTP_FRONTDESK_OFF;
     *     lcf->assets = { 0, NULL };
     *     lcf->files = NULL;
     */

    lcf->admin = NGX_CONF_UNSET;
    lcf->heartbeat = NGX_CONF_UNSET_MSEC;
    lcf->retry = NGX_CONF_UNSET_MSEC;

    return lcf;
}


char *
ngx_http_frontdesk_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_frontdesk_loc_conf_t *prev = parent;
    ngx_http_frontdesk_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_value(conf->admin, prev->admin, 0);
    ngx_conf_merge_msec_value(conf->heartbeat, prev->heartbeat, FD_PING_MS);
    ngx_conf_merge_msec_value(conf->retry, prev->retry, 2000);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if ((clcf->noname || clcf->lmt_excpt) && clcf->handler == NULL
        && conf->service == NGX_HTTP_FRONTDESK_OFF)
    {
        /* "if" and "limit_except": the same place under another name */

        conf->service = prev->service;
        conf->files = prev->files;
        clcf->handler = ngx_http_frontdesk_services[prev->service];
    }

    if (conf->heartbeat == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"frontdesk_heartbeat\" must not be 0");
        return NGX_CONF_ERROR;
    }

    if (conf->admin && conf->service != NGX_HTTP_FRONTDESK_OFF) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"frontdesk_admin\" is for a location that passes "
                      "requests on, not for another frontdesk service");
        return NGX_CONF_ERROR;
    }

    if (conf->service == NGX_HTTP_FRONTDESK_API) {

        /*
         * frontdesk_max_body is the bound here and is kept while the body
         * arrives.  The core's would answer before us, in HTML and without
         * the headers that let a page see it.
         */

        clcf->client_max_body_size = 0;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_frontdesk_redis_server(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                        *value;
    ngx_url_t                         u;
    ngx_http_frontdesk_redis_conf_t  *redis;

    redis = (ngx_http_frontdesk_redis_conf_t *) ((char *) conf + cmd->offset);

    if (redis->addr) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = value[1];
    u.default_port = NGX_HTTP_FRONTDESK_REDIS_PORT;

    /* a name is resolved now: hiredis would do it in the event loop */

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {

        /* without it there was no memory, and that is in the log */

        if (u.err) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s in \"%V\" of the \"%V\" directive",
                               u.err, &u.url, &cmd->name);
        }

        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3) {

        if (value[2].len <= sizeof("password=") - 1
            || ngx_strncmp(value[2].data, "password=",
                           sizeof("password=") - 1)
               != 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the second parameter of \"%V\" must be "
                               "\"password=...\"", &cmd->name);
            return NGX_CONF_ERROR;
        }

        redis->password.len = value[2].len - (sizeof("password=") - 1);
        redis->password.data = value[2].data + sizeof("password=") - 1;
    }

    redis->url = value[1];
    redis->addr = u.addrs;

    return NGX_CONF_OK;
}


char *
ngx_http_frontdesk_service(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_frontdesk_loc_conf_t *lcf = conf;

    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_frontdesk_main_conf_t  *mcf;

    if (lcf->service == cmd->offset) {
        return "is duplicate";
    }

    if (lcf->service != NGX_HTTP_FRONTDESK_OFF) {
        return "is the second service of this location";
    }

    lcf->service = cmd->offset;

    if (lcf->service != NGX_HTTP_FRONTDESK_ASSETS
        && lcf->service != NGX_HTTP_FRONTDESK_HEALTHZ)
    {
        mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_frontdesk_module);
        mcf->used = 1;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_frontdesk_services[lcf->service];

    if (lcf->service == NGX_HTTP_FRONTDESK_ASSETS) {
        return ngx_http_frontdesk_assets(cf, cmd, conf);
    }

    return NGX_CONF_OK;
}


char *
ngx_http_frontdesk_admin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_frontdesk_loc_conf_t *lcf = conf;

    char                            *rv;
    ngx_http_frontdesk_main_conf_t  *mcf;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rv == NGX_CONF_OK && lcf->admin) {
        mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_frontdesk_module);
        mcf->used = 1;
    }

    return rv;
}
