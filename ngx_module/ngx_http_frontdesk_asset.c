
/*
 * The widget, the dashboard and the demo pages, from memory: no name of a
 * request is ever opened.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_accept.h"
#include "ngx_http_frontdesk_asset.h"
#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_service.h"


#define NGX_HTTP_FRONTDESK_NOT_ACCEPTABLE  406


static ngx_http_frontdesk_file_t *ngx_http_frontdesk_asset_find(
    ngx_array_t *files, ngx_str_t *uri);
static ngx_uint_t ngx_http_frontdesk_asset_below(ngx_str_t *path,
    ngx_str_t *uri);
static ngx_int_t ngx_http_frontdesk_asset_headers(ngx_http_request_t *r,
    ngx_http_frontdesk_file_t *file, ngx_uint_t encoding);
static ngx_int_t ngx_http_frontdesk_asset_policy(ngx_http_request_t *r,
    ngx_http_frontdesk_file_t *file);
static ngx_uint_t ngx_http_frontdesk_asset_choose(ngx_http_request_t *r,
    ngx_http_frontdesk_file_t *file);
static ngx_int_t ngx_http_frontdesk_asset_weight(ngx_str_t *accept,
    ngx_uint_t encoding);


ngx_str_t  ngx_http_frontdesk_encodings[] = {
    ngx_string("identity"),
    ngx_string("br"),
    ngx_string("gzip")
};

static const ngx_http_frontdesk_field_t  ngx_http_frontdesk_asset_fields[] = {
    { "Vary", ngx_string("Accept-Encoding") },
    { "X-Content-Type-Options", ngx_string("nosniff") },
    { NULL, ngx_null_string }
};

/* other sites load it, perhaps with "crossorigin" and "integrity" */
static const ngx_http_frontdesk_field_t  ngx_http_frontdesk_public_fields[] = {
    { "Cross-Origin-Resource-Policy", ngx_string("cross-origin") },
    { "Access-Control-Allow-Origin", ngx_string("*") },
    { NULL, ngx_null_string }
};

/* the widget's styles are in its shadow tree */
static const ngx_http_frontdesk_field_t  ngx_http_frontdesk_demo_fields[] = {
    { "Content-Security-Policy",
      ngx_string("default-src 'self'; style-src 'self' 'unsafe-inline'; "
                 "img-src 'self' data:; object-src 'none'; base-uri 'none'; "
                 "form-action 'self'; frame-ancestors 'none'") },
    { NULL, ngx_null_string }
};

static const ngx_http_frontdesk_field_t  ngx_http_frontdesk_private_fields[] = {
    { "Referrer-Policy", ngx_string("no-referrer") },
    { "Cross-Origin-Opener-Policy", ngx_string("same-origin") },
    { NULL, ngx_null_string }
};


ngx_int_t
ngx_http_frontdesk_asset_handler(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_uint_t                      encoding;
    ngx_http_frontdesk_file_t      *file;
    ngx_http_frontdesk_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_frontdesk_module);

    file = ngx_http_frontdesk_asset_find(lcf->files, &r->uri);

    if (file == NULL) {
        return NGX_HTTP_NOT_FOUND;
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    encoding = ngx_http_frontdesk_asset_choose(r, file);

    if (encoding == NGX_HTTP_FRONTDESK_ENCODINGS) {
        return NGX_HTTP_FRONTDESK_NOT_ACCEPTABLE;
    }

    if (ngx_http_frontdesk_asset_headers(r, file, encoding) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_frontdesk_send(r, &file->body[encoding]);
}


static ngx_http_frontdesk_file_t *
ngx_http_frontdesk_asset_find(ngx_array_t *files, ngx_str_t *uri)
{
    ngx_uint_t                  i;
    ngx_http_frontdesk_file_t  *file, *page;

    page = NULL;
    file = files->elts;

    for (i = 0; i < files->nelts; i++) {

        if (file[i].path.len == uri->len
            && ngx_memcmp(file[i].path.data, uri->data, uri->len) == 0)
        {
            return &file[i];
        }

        if (file[i].below
            && ngx_http_frontdesk_asset_below(&file[i].path, uri))
        {
            page = &file[i];
        }
    }

    return page;
}


/*
 * A place in the page that the path, which ends in a slash, is of.  What has a
 * dot in its last part is a file, and one that is not there is missed: a script
 * must not be answered with a page.
 */

static ngx_uint_t
ngx_http_frontdesk_asset_below(ngx_str_t *path, ngx_str_t *uri)
{
    u_char  *p;

    if (uri->len <= path->len
        || ngx_memcmp(uri->data, path->data, path->len) != 0)
    {
        return 0;
    }

    for (p = uri->data + uri->len; p[-1] != '/'; p--) {
        if (p[-1] == '.') {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_frontdesk_asset_headers(ngx_http_request_t *r,
    ngx_http_frontdesk_file_t *file, ngx_uint_t encoding)
{
    ngx_table_elt_t  *h;

    if (ngx_http_frontdesk_header(r, "Cache-Control", &file->cache) != NGX_OK
        || ngx_http_frontdesk_headers(r, ngx_http_frontdesk_asset_fields)
           != NGX_OK
        || ngx_http_frontdesk_asset_policy(r, file) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* the core's filter answers 304 when it knows the entity tag */

    h = ngx_http_frontdesk_header_push(r, "ETag", &file->etag[encoding]);
    if (h == NULL) {
        return NGX_ERROR;
    }

    r->headers_out.etag = h;

    if (encoding != NGX_HTTP_FRONTDESK_IDENTITY) {

        /* the gzip filter leaves an answer alone that has one */

        h = ngx_http_frontdesk_header_push(r, "Content-Encoding",
                                      &ngx_http_frontdesk_encodings[encoding]);
        if (h == NULL) {
            return NGX_ERROR;
        }

        r->headers_out.content_encoding = h;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = file->body[encoding].len;
    r->headers_out.content_type = file->type;
    r->headers_out.content_type_len = file->type.len;
    r->headers_out.content_type_lowcase = NULL;

    return NGX_OK;
}


/* a page with a policy of its own has more to lose than a demo */

static ngx_int_t
ngx_http_frontdesk_asset_policy(ngx_http_request_t *r,
    ngx_http_frontdesk_file_t *file)
{
    if (!file->html) {
        return ngx_http_frontdesk_headers(r, ngx_http_frontdesk_public_fields);
    }

    if (file->policy.len == 0) {
        return ngx_http_frontdesk_headers(r, ngx_http_frontdesk_demo_fields);
    }

    if (ngx_http_frontdesk_header(r, "Content-Security-Policy", &file->policy)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_headers(r, ngx_http_frontdesk_private_fields);
}


/*
 * RFC 9110, 12.5.3: the smallest of what the client likes best; identity needs
 * no mention, but may be refused, and then there may be nothing to send.  A
 * part of a page is not coded: the header that says so is the page's.
 */

static ngx_uint_t
ngx_http_frontdesk_asset_choose(ngx_http_request_t *r,
    ngx_http_frontdesk_file_t *file)
{
    ngx_int_t    quality, best_quality;
    ngx_str_t   *accept;
    ngx_uint_t   i, best;

    accept = ngx_http_frontdesk_request_header(r, "Accept-Encoding");

    if (r != r->main || accept == NULL) {
        return NGX_HTTP_FRONTDESK_IDENTITY;
    }

    best = NGX_HTTP_FRONTDESK_ENCODINGS;
    best_quality = 0;

    for (i = NGX_HTTP_FRONTDESK_BR; i < NGX_HTTP_FRONTDESK_ENCODINGS; i++) {

        if (file->body[i].len == 0) {
            continue;
        }

        quality = ngx_http_frontdesk_asset_weight(accept, i);

        if (quality > best_quality) {
            best = i;
            best_quality = quality;
        }
    }

    quality = ngx_http_frontdesk_asset_weight(accept,
                                              NGX_HTTP_FRONTDESK_IDENTITY);

    if (quality > best_quality
        || (quality == NGX_DECLINED && best == NGX_HTTP_FRONTDESK_ENCODINGS))
    {
        return NGX_HTTP_FRONTDESK_IDENTITY;
    }

    return best;
}


static ngx_int_t
ngx_http_frontdesk_asset_weight(ngx_str_t *accept, ngx_uint_t encoding)
{
    ngx_int_t         weight;
    static ngx_str_t  any = ngx_string("*");

    weight = ngx_http_frontdesk_accept_weight(accept,
                                     &ngx_http_frontdesk_encodings[encoding]);

    if (weight != NGX_DECLINED) {
        return weight;
    }

    return ngx_http_frontdesk_accept_weight(accept, &any);
}
