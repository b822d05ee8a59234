
/*
 * The cookie of a signed-in user, whose name the admin API chooses by the
 * connection: over plain HTTP there is one for this very machine only.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/sign_in.h"

#include "ngx_http_frontdesk_sign_in.h"


static ngx_int_t ngx_http_frontdesk_cookie_find(ngx_str_t *header,
    const char *name, ngx_str_t *value);
static ngx_uint_t ngx_http_frontdesk_is_loopback(ngx_http_request_t *r);


/*
 * Exactly one cookie of the name that this connection has.  Names differ in
 * case only where somebody else than the admin API set one.
 */

ngx_int_t
ngx_http_frontdesk_cookie(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_int_t         rc;
    ngx_str_t         text;
    ngx_uint_t        i, plain, found;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    plain = ngx_http_frontdesk_is_loopback(r);

    found = 0;
    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len != sizeof("Cookie") - 1
            || ngx_strncasecmp(h[i].key.data, (u_char *) "Cookie",
                               sizeof("Cookie") - 1)
               != 0)
        {
            continue;
        }

        rc = ngx_http_frontdesk_cookie_find(&h[i].value,
                                            FD_SIGN_IN_COOKIE_HOST, &text);

        if (rc == NGX_DECLINED && plain) {
            rc = ngx_http_frontdesk_cookie_find(&h[i].value,
                                                FD_SIGN_IN_COOKIE_PLAIN,
                                                &text);
        }

        if (rc == NGX_ERROR) {
            return NGX_DECLINED;
        }

        if (rc == NGX_OK) {
            *value = text;
            found++;
        }
    }

    return (found == 1) ? NGX_OK : NGX_DECLINED;
}


/* NGX_ERROR: it is there twice */

static ngx_int_t
ngx_http_frontdesk_cookie_find(ngx_str_t *header, const char *name,
    ngx_str_t *value)
{
    size_t      len;
    u_char     *p, *last, *end;
    ngx_int_t   rc;

    len = ngx_strlen(name);
    rc = NGX_DECLINED;

    p = header->data;
    last = header->data + header->len;

    while (p < last) {

        while (p < last && (*p == ' ' || *p == ';')) {
            p++;
        }

        end = ngx_strlchr(p, last, ';');
        if (end == NULL) {
            end = last;
        }

        if ((size_t) (end - p) > len && p[len] == '='
            && ngx_memcmp(p, name, len) == 0)
        {
            if (rc == NGX_OK) {
                return NGX_ERROR;
            }

            value->data = p + len + 1;
            value->len = end - value->data;
            rc = NGX_OK;
        }

        p = end;
    }

    return rc;
}


/* where a page may be had over plain HTTP, see the cookies of the admin API */

static ngx_uint_t
ngx_http_frontdesk_is_loopback(ngx_http_request_t *r)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (r->connection->sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) r->connection->sockaddr;
        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr);
#endif

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        return 1;
#endif

    default: /* AF_INET */
        sin = (struct sockaddr_in *) r->connection->sockaddr;
        return ntohl(sin->sin_addr.s_addr) >> 24 == 127;
    }
}
