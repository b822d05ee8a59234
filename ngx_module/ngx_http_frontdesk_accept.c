
/*
 * Lists of preferences: "br;q=0.9, gzip, *;q=0" (RFC 9110, 12.4.2).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_accept.h"


static u_char *ngx_http_frontdesk_accept_item(u_char *p, u_char *last,
    ngx_str_t *item, ngx_int_t *weight);
static ngx_int_t ngx_http_frontdesk_accept_parameter(u_char *p, u_char *last);
static ngx_uint_t ngx_http_frontdesk_accept_space(u_char c);


ngx_int_t
ngx_http_frontdesk_accept_weight(ngx_str_t *list, ngx_str_t *item)
{
    u_char     *p, *last;
    ngx_int_t   weight;
    ngx_str_t   next;

    p = list->data;
    last = list->data + list->len;

    while (p < last) {
        p = ngx_http_frontdesk_accept_item(p, last, &next, &weight);

        if (next.len == item->len
            && ngx_strncasecmp(next.data, item->data, item->len) == 0)
        {
            return weight;
        }
    }

    return NGX_DECLINED;
}


/* what stands before the next comma, which may be nothing */

static u_char *
ngx_http_frontdesk_accept_item(u_char *p, u_char *last, ngx_str_t *item,
    ngx_int_t *weight)
{
    u_char     *end, *next;
    ngx_int_t   q;

    end = ngx_strlchr(p, last, ',');
    if (end == NULL) {
        end = last;
    }

    while (p < end && ngx_http_frontdesk_accept_space(*p)) {
        p++;
    }

    item->data = p;

    while (p < end && *p != ';' && !ngx_http_frontdesk_accept_space(*p)) {
        p++;
    }

    item->len = p - item->data;
    *weight = 1000;

    for (p = ngx_strlchr(p, end, ';'); p; p = next) {
        next = ngx_strlchr(++p, end, ';');
        q = ngx_http_frontdesk_accept_parameter(p, next ? next : end);

        if (q != NGX_DECLINED) {
            *weight = q;
        }
    }

    return (end == last) ? last : end + 1;
}


/* "q=0.5" in thousandths, NGX_DECLINED: another parameter */

static ngx_int_t
ngx_http_frontdesk_accept_parameter(u_char *p, u_char *last)
{
    ngx_int_t  weight, scale;

    while (p < last && ngx_http_frontdesk_accept_space(*p)) {
        p++;
    }

    if (last - p < 3 || (*p != 'q' && *p != 'Q') || p[1] != '=') {
        return NGX_DECLINED;
    }

    p += 2;

    if (*p == '1') {
        return 1000;
    }

    weight = 0;
    scale = 100;

    for (p++; p < last && (*p == '.' || (*p >= '0' && *p <= '9')); p++) {
        if (*p != '.') {
            weight += (*p - '0') * scale;
            scale /= 10;
        }
    }

    return weight;
}


static ngx_uint_t
ngx_http_frontdesk_accept_space(u_char c)
{
    return c == ' ' || c == '\t';
}
