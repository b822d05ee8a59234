
/*
 * Assets as ngx_http_frontdesk_manifest.c loads and ngx_http_frontdesk_asset.c
 * serves them.
 */


#ifndef _NGX_HTTP_FRONTDESK_ASSET_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_ASSET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef enum {
    NGX_HTTP_FRONTDESK_IDENTITY = 0,
    NGX_HTTP_FRONTDESK_BR,
    NGX_HTTP_FRONTDESK_GZIP,
    NGX_HTTP_FRONTDESK_ENCODINGS
} ngx_http_frontdesk_encoding_e;


typedef struct {
    ngx_str_t                  path;
    ngx_str_t                  type;
    ngx_str_t                  cache;
    ngx_uint_t                 html;

    /* of a page that has its own */
    ngx_str_t                  policy;

    /* whatever is below the path is this page, too: its script looks where */
    ngx_uint_t                 below;

    /* of an encoding that was not made: empty */
    ngx_str_t                  body[NGX_HTTP_FRONTDESK_ENCODINGS];
    ngx_str_t                  etag[NGX_HTTP_FRONTDESK_ENCODINGS];
} ngx_http_frontdesk_file_t;


/* as in Accept-Encoding */
extern ngx_str_t  ngx_http_frontdesk_encodings[];


/* ngx_http_frontdesk_manifest.c: reads lcf->assets into lcf->files */
char *ngx_http_frontdesk_assets(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_FRONTDESK_ASSET_H_INCLUDED_ */
