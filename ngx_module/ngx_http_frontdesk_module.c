
/*
 * Directives, phases and the life of a process.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <sodium.h>

#include "protocol/limits.h"

#include "ngx_http_frontdesk_channel.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_service.h"
#include "ngx_http_frontdesk_sign_in.h"
#include "ngx_http_frontdesk_stream.h"


static ngx_int_t ngx_http_frontdesk_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_frontdesk_init_process(ngx_cycle_t *cycle);
static void ngx_http_frontdesk_exit_process(ngx_cycle_t *cycle);


static ngx_conf_num_bounds_t  ngx_http_frontdesk_queue_bounds = {
    ngx_conf_check_num_bounds, 1, 1000 * FD_QUEUE_LENGTH_MAX
};

static ngx_conf_num_bounds_t  ngx_http_frontdesk_rate_bounds = {
    ngx_conf_check_num_bounds, 1, 60000
};

/* 0 is no limit */
static ngx_conf_num_bounds_t  ngx_http_frontdesk_limit_bounds = {
    ngx_conf_check_num_bounds, 0, 6000000
};


static ngx_command_t  ngx_http_frontdesk_commands[] = {

    { ngx_string("frontdesk_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_frontdesk_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("frontdesk_jobs_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_frontdesk_redis_server,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_main_conf_t, redis[NGX_HTTP_FRONTDESK_JOBS]),
      NULL },

    { ngx_string("frontdesk_live_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_frontdesk_redis_server,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_main_conf_t, redis[NGX_HTTP_FRONTDESK_LIVE]),
      NULL },

    { ngx_string("frontdesk_queue_length"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_main_conf_t, queue_length),
      &ngx_http_frontdesk_queue_bounds },

    { ngx_string("frontdesk_queue_bytes"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_main_conf_t, queue_bytes),
      NULL },

    { ngx_string("frontdesk_session_rate"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_main_conf_t, session_rate),
      &ngx_http_frontdesk_rate_bounds },

    { ngx_string("frontdesk_start_rate"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_main_conf_t, start_rate),
      &ngx_http_frontdesk_limit_bounds },

    { ngx_string("frontdesk_read_rate"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_main_conf_t, read_rate),
      &ngx_http_frontdesk_limit_bounds },

    { ngx_string("frontdesk_redis_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_main_conf_t, redis_timeout),
      NULL },

    { ngx_string("frontdesk_key_ttl"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_main_conf_t, key_ttl),
      NULL },

    { ngx_string("frontdesk_negative_ttl"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_main_conf_t, negative_ttl),
      NULL },

    { ngx_string("frontdesk_max_body"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_main_conf_t, max_body),
      NULL },

    { ngx_string("frontdesk_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_frontdesk_service,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_FRONTDESK_API,
      NULL },

    { ngx_string("frontdesk_admin"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_frontdesk_admin,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_loc_conf_t, admin),
      NULL },

    { ngx_string("frontdesk_problem"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_frontdesk_service,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_FRONTDESK_PROBLEM,
      NULL },

    { ngx_string("frontdesk_assets"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_frontdesk_service,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_FRONTDESK_ASSETS,
      NULL },

    { ngx_string("frontdesk_healthz"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_frontdesk_service,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_FRONTDESK_HEALTHZ,
      NULL },

    { ngx_string("frontdesk_readyz"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_frontdesk_service,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_FRONTDESK_READYZ,
      NULL },

    { ngx_string("frontdesk_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_frontdesk_service,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_FRONTDESK_METRICS,
      NULL },

    { ngx_string("frontdesk_heartbeat"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_loc_conf_t, heartbeat),
      NULL },

    { ngx_string("frontdesk_retry"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_loc_conf_t, retry),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_frontdesk_module_ctx = {
    ngx_http_frontdesk_variables,          /* preconfiguration */
    ngx_http_frontdesk_init,               /* postconfiguration */

    ngx_http_frontdesk_create_main_conf,   /* create main configuration */
    ngx_http_frontdesk_init_main_conf,     /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_frontdesk_create_loc_conf,    /* create location configuration */
    ngx_http_frontdesk_merge_loc_conf      /* merge location configuration */
};


ngx_module_t  ngx_http_frontdesk_module = {
    NGX_MODULE_V1,
    &ngx_http_frontdesk_module_ctx,        /* module context */
    ngx_http_frontdesk_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_frontdesk_init_process,       /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_frontdesk_exit_process,       /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_frontdesk_init(ngx_conf_t *cf)
{
    const char                      *missing;
    ngx_str_t                        name;
    ngx_http_handler_pt             *h;
    ngx_http_core_main_conf_t       *cmcf;
    ngx_http_frontdesk_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_frontdesk_module);

    if (!mcf->used) {
        return NGX_OK;
    }

    missing = (mcf->zone == NULL) ? "frontdesk_zone"
            : (mcf->redis[NGX_HTTP_FRONTDESK_JOBS].addr == NULL)
              ? "frontdesk_jobs_redis"
            : (mcf->redis[NGX_HTTP_FRONTDESK_LIVE].addr == NULL)
              ? "frontdesk_live_redis" : NULL;

    if (missing) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"frontdesk_api\", \"frontdesk_admin\", "
                      "\"frontdesk_problem\", \"frontdesk_readyz\" and "
                      "\"frontdesk_metrics\" need \"%s\" in the http block",
                      missing);
        return NGX_ERROR;
    }

    ngx_str_set(&name, "request_id");

    mcf->request_id = ngx_http_get_variable_index(cf, &name);
    if (mcf->request_id == NGX_ERROR) {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_frontdesk_access_handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_init_process(ngx_cycle_t *cycle)
{
    ngx_http_frontdesk_main_conf_t  *mcf;

    /* neither in the cache manager nor in the cache loader */

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    mcf = ngx_http_frontdesk_main_conf();

    if (mcf == NULL || !mcf->used) {
        return NGX_OK;
    }

    if (sodium_init() == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "sodium_init() failed");
        return NGX_ERROR;
    }

    ngx_http_frontdesk_ended_init();

    if (ngx_http_frontdesk_counter_enter(cycle) != NGX_OK
        || ngx_http_frontdesk_stream_init(cycle) != NGX_OK
        || ngx_http_frontdesk_redis_init(cycle) != NGX_OK
        || ngx_http_frontdesk_channel_init(cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_frontdesk_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_frontdesk_main_conf_t  *mcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return;
    }

    mcf = ngx_http_frontdesk_main_conf();

    if (mcf == NULL || !mcf->used) {
        return;
    }

    ngx_http_frontdesk_channel_exit(cycle);
    ngx_http_frontdesk_redis_exit(cycle);
    ngx_http_frontdesk_counter_leave();
}
