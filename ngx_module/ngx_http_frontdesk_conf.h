
/*
 * What is configured: ngx_http_frontdesk_conf.c, for the table of directives in
 * ngx_http_frontdesk_module.c and whoever looks at a setting.
 */


#ifndef _NGX_HTTP_FRONTDESK_CONF_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef enum {
    NGX_HTTP_FRONTDESK_JOBS = 0,
    NGX_HTTP_FRONTDESK_LIVE,
    NGX_HTTP_FRONTDESK_ROLES
} ngx_http_frontdesk_role_e;


typedef struct {
    ngx_str_t                        url;         /* as configured, for logs */
    ngx_addr_t                      *addr;        /* unix or numeric */
    ngx_str_t                        password;
} ngx_http_frontdesk_redis_conf_t;


typedef struct {
    ngx_http_frontdesk_redis_conf_t  redis[NGX_HTTP_FRONTDESK_ROLES];
    ngx_shm_zone_t                  *zone;

    /* admission, see admit.lua */
    ngx_int_t                        queue_length;
    size_t                           queue_bytes;
    ngx_int_t                        session_rate;   /* messages a minute */
    ngx_int_t                        start_rate;     /* an hour and address */
    ngx_int_t                        read_rate;      /* light requests a minute
                                                        and address, of this
                                                        host; 0 = no limit */

    ngx_msec_t                       redis_timeout;  /* of one command */
    ngx_msec_t                       key_ttl;
    ngx_msec_t                       negative_ttl;
    size_t                           max_body;

    ngx_uint_t                       used;           /* some location needs
                                                        Redis and the zone */
    ngx_int_t                        request_id;     /* index of $request_id */
} ngx_http_frontdesk_main_conf_t;


typedef enum {
    NGX_HTTP_FRONTDESK_OFF = 0,
    NGX_HTTP_FRONTDESK_API,
    NGX_HTTP_FRONTDESK_ASSETS,
    NGX_HTTP_FRONTDESK_HEALTHZ,
    NGX_HTTP_FRONTDESK_READYZ,
    NGX_HTTP_FRONTDESK_METRICS,
    NGX_HTTP_FRONTDESK_PROBLEM
} ngx_http_frontdesk_service_e;


typedef struct {
    ngx_uint_t                       service;        /* ..._service_e */
    ngx_flag_t                       admin;          /* a secret key is asked
                                                        for, another handler
                                                        answers */
    ngx_str_t                        assets;         /* directory */
    ngx_array_t                     *files;          /* of ..._file_t */
    ngx_msec_t                       heartbeat;
    ngx_msec_t                       retry;          /* of SSE's retry: field */
} ngx_http_frontdesk_loc_conf_t;


/* of the running configuration; NULL where there is no http block */
ngx_http_frontdesk_main_conf_t *ngx_http_frontdesk_main_conf(void);


/* ngx_http_frontdesk_conf.c */

void *ngx_http_frontdesk_create_main_conf(ngx_conf_t *cf);
char *ngx_http_frontdesk_init_main_conf(ngx_conf_t *cf, void *conf);
void *ngx_http_frontdesk_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_frontdesk_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);

/* frontdesk_jobs_redis, frontdesk_live_redis */
char *ngx_http_frontdesk_redis_server(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* frontdesk_api, _assets, _healthz, _readyz, _metrics, _problem */
char *ngx_http_frontdesk_service(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* frontdesk_admin */
char *ngx_http_frontdesk_admin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/* ngx_http_frontdesk_zone.c: frontdesk_zone */

char *ngx_http_frontdesk_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/* ngx_http_frontdesk_variable.c: $frontdesk_... */

ngx_int_t ngx_http_frontdesk_variables(ngx_conf_t *cf);


extern ngx_module_t  ngx_http_frontdesk_module;


#endif /* _NGX_HTTP_FRONTDESK_CONF_H_INCLUDED_ */
