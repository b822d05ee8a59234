
/*
 * Directives, phases and the life of a process.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <sodium.h>

#include "ngx_http_frontdesk.h"


#define NGX_HTTP_FRONTDESK_REDIS_PORT  6379


static ngx_int_t ngx_http_frontdesk_content_handler(ngx_http_request_t *r);
static void ngx_http_frontdesk_ctx_cleanup(void *data);

static void *ngx_http_frontdesk_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_frontdesk_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_frontdesk_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_frontdesk_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_frontdesk_redis(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_frontdesk_service(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_frontdesk_admin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
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
      ngx_http_frontdesk_redis,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_frontdesk_main_conf_t, redis[NGX_HTTP_FRONTDESK_JOBS]),
      NULL },

    { ngx_string("frontdesk_live_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_frontdesk_redis,
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


ngx_http_frontdesk_main_conf_t *
ngx_http_frontdesk_main_conf(void)
{
    return ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_frontdesk_module);
}


/*
 * An internal redirect (error_page, X-Accel-Redirect) clears the contexts of
 * modules.  The pool's cleanup record survives it, as in the realip module.
 */

ngx_http_frontdesk_ctx_t *
ngx_http_frontdesk_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_frontdesk_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_frontdesk_module);

    if (ctx != NULL || !(r->internal || r->filter_finalize)) {
        return ctx;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_frontdesk_ctx_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


ngx_http_frontdesk_ctx_t *
ngx_http_frontdesk_create_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_frontdesk_ctx_t  *ctx;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_frontdesk_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_frontdesk_ctx_t));

    ctx->started = ngx_current_msec;

    cln->handler = ngx_http_frontdesk_ctx_cleanup;

    ngx_http_set_ctx(r, ctx, ngx_http_frontdesk_module);

    return ctx;
}


/* the address of this function marks the record, there is nothing to free */

static void
ngx_http_frontdesk_ctx_cleanup(void *data)
{
}


static ngx_int_t
ngx_http_frontdesk_content_handler(ngx_http_request_t *r)
{
    struct fd_problem          problem;
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

        ngx_memzero(&problem, sizeof(struct fd_problem));
        problem.type = FD_PROBLEM_INTERNAL;

        return ngx_http_frontdesk_problem(r, &problem);
    }

    return ctx->route->handler(r, ctx);
}


static void *
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


static char *
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


static void *
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


static char *
ngx_http_frontdesk_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_frontdesk_loc_conf_t *prev = parent;
    ngx_http_frontdesk_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_value(conf->admin, prev->admin, 0);
    ngx_conf_merge_msec_value(conf->heartbeat, prev->heartbeat, FD_PING_MS);
    ngx_conf_merge_msec_value(conf->retry, prev->retry, 2000);

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

        clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
        clcf->client_max_body_size = 0;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_frontdesk_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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


static char *
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

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_frontdesk_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    switch (lcf->service) {

    case NGX_HTTP_FRONTDESK_API:
        mcf->used = 1;
        clcf->handler = ngx_http_frontdesk_content_handler;
        return NGX_CONF_OK;

    case NGX_HTTP_FRONTDESK_ASSETS:
        clcf->handler = ngx_http_frontdesk_asset_handler;
        return ngx_http_frontdesk_assets(cf, cmd, conf);

    case NGX_HTTP_FRONTDESK_PROBLEM:
        mcf->used = 1;
        clcf->handler = ngx_http_frontdesk_error_handler;
        return NGX_CONF_OK;

    case NGX_HTTP_FRONTDESK_HEALTHZ:
        break;

    default: /* READYZ, METRICS */
        mcf->used = 1;
    }

    clcf->handler = ngx_http_frontdesk_status_handler;

    return NGX_CONF_OK;
}


static char *
ngx_http_frontdesk_admin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_frontdesk_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_frontdesk_module);
    mcf->used = 1;

    return ngx_conf_set_flag_slot(cf, cmd, conf);
}


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
