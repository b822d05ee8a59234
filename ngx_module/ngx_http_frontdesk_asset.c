
/*
 * The widget, the dashboard and the demo pages, from memory: no name of a
 * request is ever opened.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk.h"
#include "ngx_http_frontdesk_asset.h"


#define NGX_HTTP_FRONTDESK_NOT_ACCEPTABLE  406


static ngx_http_frontdesk_file_t *ngx_http_frontdesk_asset_find(
    ngx_array_t *files, ngx_str_t *uri);
static ngx_uint_t ngx_http_frontdesk_asset_below(ngx_str_t *path,
    ngx_str_t *uri);
static ngx_int_t ngx_http_frontdesk_asset_headers(ngx_http_request_t *r,
    ngx_http_frontdesk_file_t *file, ngx_uint_t encoding);
static ngx_int_t ngx_http_frontdesk_asset_page(ngx_http_request_t *r,
    ngx_http_frontdesk_file_t *file);
static ngx_int_t ngx_http_frontdesk_asset_etag(ngx_http_request_t *r,
    ngx_str_t *etag);
static ngx_uint_t ngx_http_frontdesk_asset_choose(ngx_http_request_t *r,
    ngx_http_frontdesk_file_t *file);
static ngx_int_t ngx_http_frontdesk_asset_quality(ngx_str_t *accept,
    ngx_str_t *name);


ngx_str_t  ngx_http_frontdesk_encodings[] = {
    ngx_string("identity"),
    ngx_string("br"),
    ngx_string("gzip")
};

static ngx_str_t  ngx_http_frontdesk_vary_encoding =
    ngx_string("Accept-Encoding");

static ngx_str_t  ngx_http_frontdesk_asset_nosniff = ngx_string("nosniff");

/* other sites load the widget, perhaps with "crossorigin" and "integrity" */
static ngx_str_t  ngx_http_frontdesk_resource_policy =
    ngx_string("cross-origin");
static ngx_str_t  ngx_http_frontdesk_any_origin = ngx_string("*");

static ngx_str_t  ngx_http_frontdesk_no_referrer = ngx_string("no-referrer");
static ngx_str_t  ngx_http_frontdesk_same_origin = ngx_string("same-origin");

/* the widget's styles are in its shadow tree */
static ngx_str_t  ngx_http_frontdesk_csp =
    ngx_string("default-src 'self'; style-src 'self' 'unsafe-inline'; "
               "img-src 'self' data:; object-src 'none'; base-uri 'none'; "
               "form-action 'self'; frame-ancestors 'none'");


ngx_int_t
ngx_http_frontdesk_asset_handler(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_buf_t                      *b;
    ngx_uint_t                      encoding;
    ngx_chain_t                     out;
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

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = file->body[encoding].data;
    b->last = b->pos + file->body[encoding].len;
    b->memory = 1;
    b->last_buf = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
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
        || ngx_http_frontdesk_header(r, "Vary",
                                     &ngx_http_frontdesk_vary_encoding)
           != NGX_OK
        || ngx_http_frontdesk_header(r, "X-Content-Type-Options",
                                     &ngx_http_frontdesk_asset_nosniff)
           != NGX_OK
        || ngx_http_frontdesk_asset_etag(r, &file->etag[encoding]) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (file->html) {
        if (ngx_http_frontdesk_asset_page(r, file) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (ngx_http_frontdesk_header(r, "Cross-Origin-Resource-Policy",
                                         &ngx_http_frontdesk_resource_policy)
               != NGX_OK
               || ngx_http_frontdesk_header(r, "Access-Control-Allow-Origin",
                                            &ngx_http_frontdesk_any_origin)
                  != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (encoding != NGX_HTTP_FRONTDESK_IDENTITY) {

        /* the gzip filter leaves an answer alone that has one */

        if (ngx_http_frontdesk_header(r, "Content-Encoding",
                                      &ngx_http_frontdesk_encodings[encoding])
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        h = r->headers_out.headers.last->elts;
        r->headers_out.content_encoding =
                                  &h[r->headers_out.headers.last->nelts - 1];
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = file->body[encoding].len;
    r->headers_out.content_type = file->type;
    r->headers_out.content_type_len = file->type.len;
    r->headers_out.content_type_lowcase = NULL;

    return NGX_OK;
}


/* one with a policy of its own has more to lose than a demo */

static ngx_int_t
ngx_http_frontdesk_asset_page(ngx_http_request_t *r,
    ngx_http_frontdesk_file_t *file)
{
    if (file->policy.len == 0) {
        return ngx_http_frontdesk_header(r, "Content-Security-Policy",
                                         &ngx_http_frontdesk_csp);
    }

    if (ngx_http_frontdesk_header(r, "Content-Security-Policy", &file->policy)
        != NGX_OK
        || ngx_http_frontdesk_header(r, "Referrer-Policy",
                                     &ngx_http_frontdesk_no_referrer)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_frontdesk_header(r, "Cross-Origin-Opener-Policy",
                                     &ngx_http_frontdesk_same_origin);
}


/* the core's filter answers 304 when it knows the entity tag */

static ngx_int_t
ngx_http_frontdesk_asset_etag(ngx_http_request_t *r, ngx_str_t *etag)
{
    ngx_table_elt_t  *h;

    if (ngx_http_frontdesk_header(r, "ETag", etag) != NGX_OK) {
        return NGX_ERROR;
    }

    h = r->headers_out.headers.last->elts;
    r->headers_out.etag = &h[r->headers_out.headers.last->nelts - 1];

    return NGX_OK;
}


/*
 * RFC 9110, 12.5.3: the smallest of what the client likes best; identity needs
 * no mention, but may be refused, and then there may be nothing to send
 */

static ngx_uint_t
ngx_http_frontdesk_asset_choose(ngx_http_request_t *r,
    ngx_http_frontdesk_file_t *file)
{
    ngx_int_t    quality, best_quality;
    ngx_str_t   *accept;
    ngx_uint_t   i, best;

    accept = ngx_http_frontdesk_request_header(r, "Accept-Encoding");

    if (accept == NULL) {
        return NGX_HTTP_FRONTDESK_IDENTITY;
    }

    best = NGX_HTTP_FRONTDESK_ENCODINGS;
    best_quality = 0;

    for (i = NGX_HTTP_FRONTDESK_BR; i < NGX_HTTP_FRONTDESK_ENCODINGS; i++) {

        if (file->body[i].len == 0) {
            continue;
        }

        quality = ngx_http_frontdesk_asset_quality(accept,
                                            &ngx_http_frontdesk_encodings[i]);

        if (quality > best_quality) {
            best = i;
            best_quality = quality;
        }
    }

    quality = ngx_http_frontdesk_asset_quality(accept,
                  &ngx_http_frontdesk_encodings[NGX_HTTP_FRONTDESK_IDENTITY]);

    if (quality > best_quality
        || (quality == NGX_DECLINED && best == NGX_HTTP_FRONTDESK_ENCODINGS))
    {
        return NGX_HTTP_FRONTDESK_IDENTITY;
    }

    return best;
}


/* thousandths, NGX_DECLINED for a coding that is not mentioned */

static ngx_int_t
ngx_http_frontdesk_asset_quality(ngx_str_t *accept, ngx_str_t *name)
{
    u_char     *p, *last, *start, *end;
    ngx_int_t   quality, any, scale;

    any = NGX_DECLINED;
    p = accept->data;
    last = accept->data + accept->len;

    while (p < last) {

        while (p < last && (*p == ' ' || *p == '\t' || *p == ',')) {
            p++;
        }

        start = p;

        while (p < last && *p != ',' && *p != ';' && *p != ' ' && *p != '\t') {
            p++;
        }

        end = p;
        quality = 1000;

        while (p < last && *p != ',') {

            if (last - p > 2 && (*p == 'q' || *p == 'Q') && p[1] == '=') {
                p += 2;
                quality = (*p == '1') ? 1000 : 0;
                scale = 100;

                for (p++; p < last && (*p == '.' || (*p >= '0' && *p <= '9'));
                     p++)
                {
                    if (*p != '.' && quality < 1000) {
                        quality += (*p - '0') * scale;
                        scale /= 10;
                    }
                }

                continue;
            }

            p++;
        }

        if ((size_t) (end - start) == name->len
            && ngx_strncasecmp(start, name->data, name->len) == 0)
        {
            return quality;
        }

        if (end - start == 1 && *start == '*') {
            any = quality;
        }
    }

    return any;
}
