
/*
 * Origins (RFC 6454): taken apart, and matched with the patterns of a list.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_cors.h"


static ngx_int_t ngx_http_frontdesk_origin_host(ngx_str_t *host);
static ngx_uint_t ngx_http_frontdesk_origin_of(u_char *p, u_char *last,
    u_char *characters);
static ngx_uint_t ngx_http_frontdesk_origin_match(
    ngx_http_frontdesk_origin_t *origin, ngx_str_t *pattern);


/*
 * "http" or "https", "://", a host, perhaps a port, nothing else.  Browsers
 * send just that; whatever else comes (null, user information, a path, a
 * trailing dot) is no origin of a page that could be on a list.
 */

ngx_int_t
ngx_http_frontdesk_origin_parse(ngx_str_t *text,
    ngx_http_frontdesk_origin_t *origin)
{
    u_char  *p, *last, *colon;

    p = text->data;
    last = text->data + text->len;

    if (text->len > 8 && ngx_strncmp(p, "https://", 8) == 0) {
        origin->scheme.len = 5;
        origin->port = 443;

    } else if (text->len > 7 && ngx_strncmp(p, "http://", 7) == 0) {
        origin->scheme.len = 4;
        origin->port = 80;

    } else {
        return NGX_DECLINED;
    }

    origin->scheme.data = p;
    p += origin->scheme.len + 3;

    origin->host.data = p;

    if (*p == '[') {
        p = ngx_strlchr(p, last, ']');
        if (p == NULL) {
            return NGX_DECLINED;
        }
    }

    colon = ngx_strlchr(p, last, ':');

    if (colon) {

        /* browsers write neither the default port nor leading zeros */

        if (last - colon < 2 || last - colon > 6 || colon[1] == '0') {
            return NGX_DECLINED;
        }

        origin->port = ngx_atoi(colon + 1, last - colon - 1);

        if (origin->port == NGX_ERROR || origin->port > 65535) {
            return NGX_DECLINED;
        }

        last = colon;
    }

    origin->host.len = last - origin->host.data;

    return ngx_http_frontdesk_origin_host(&origin->host);
}


static ngx_int_t
ngx_http_frontdesk_origin_host(ngx_str_t *host)
{
    u_char  *p, *last;

    if (host->len == 0 || host->len > 253) {
        return NGX_DECLINED;
    }

    p = host->data;
    last = host->data + host->len;

    if (*p == '[') {
        return (last - p > 1 && last[-1] == ']'
                && ngx_http_frontdesk_origin_of(p + 1, last - 1, (u_char *)
                                                "0123456789abcdefABCDEF:."))
               ? NGX_OK : NGX_DECLINED;
    }

    /* labels of letters, digits, hyphens and underscores, none empty */

    if (*p == '.' || last[-1] == '.'
        || ngx_strlcasestrn(p, last, (u_char *) "..", 2 - 1) != NULL)
    {
        return NGX_DECLINED;
    }

    return ngx_http_frontdesk_origin_of(p, last, (u_char *)
                                        "abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789-_.")
           ? NGX_OK : NGX_DECLINED;
}


/* no other characters than these */

static ngx_uint_t
ngx_http_frontdesk_origin_of(u_char *p, u_char *last, u_char *characters)
{
    for ( /* void */ ; p < last; p++) {
        if (*p == '\0' || ngx_strchr(characters, *p) == NULL) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_http_frontdesk_origin_listed(ngx_http_frontdesk_origin_t *origin,
    ngx_str_t *list)
{
    u_char     *p, *last;
    ngx_str_t   pattern;

    p = list->data;
    last = list->data + list->len;

    while (p < last) {

        if (*p == ' ') {
            p++;
            continue;
        }

        pattern.data = p;

        while (p < last && *p != ' ') {
            p++;
        }

        pattern.len = p - pattern.data;

        if (ngx_http_frontdesk_origin_match(origin, &pattern)) {
            return 1;
        }
    }

    return 0;
}


/* "https://shop.example", or "*." before the host for its sub-domains */

static ngx_uint_t
ngx_http_frontdesk_origin_match(ngx_http_frontdesk_origin_t *origin,
    ngx_str_t *pattern)
{
    u_char                       *p, *last;
    ngx_str_t                     plain, host;
    ngx_uint_t                    wildcard;
    ngx_http_frontdesk_origin_t   allowed;

    u_char  buf[256];

    if (pattern->len > sizeof(buf)) {
        return 0;
    }

    wildcard = 0;
    plain.data = buf;
    last = ngx_cpymem(buf, pattern->data, pattern->len);

    p = ngx_strlchr(buf, last, '*');

    if (p && p != buf && p[-1] == '/' && last - p > 2 && p[1] == '.') {
        ngx_memmove(p, p + 2, last - p - 2);
        last -= 2;
        wildcard = 1;
    }

    plain.len = last - buf;

    if (ngx_http_frontdesk_origin_parse(&plain, &allowed) != NGX_OK
        || allowed.port != origin->port
        || allowed.scheme.len != origin->scheme.len)
    {
        return 0;
    }

    host = origin->host;

    if (wildcard) {

        /* at least one label and its dot before the allowed host */

        if (host.len < allowed.host.len + 2
            || host.data[host.len - allowed.host.len - 1] != '.')
        {
            return 0;
        }

        host.data += host.len - allowed.host.len;
        host.len = allowed.host.len;
    }

    return host.len == allowed.host.len
           && ngx_strncasecmp(host.data, allowed.host.data, host.len) == 0;
}
