
/*
 * Commands as RESP has them.  hiredis would make one argument by argument in a
 * string that grows, which costs an admission 3 us of 20.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_redis.h"


static u_char *ngx_http_frontdesk_resp_length(u_char *p, size_t len);


size_t
ngx_http_frontdesk_resp_size(ngx_uint_t argc, ngx_str_t *argv)
{
    size_t      size;
    ngx_uint_t  i;

    size = sizeof("*" CRLF) - 1 + NGX_INT_T_LEN;

    for (i = 0; i < argc; i++) {
        size += sizeof("$" CRLF CRLF) - 1 + NGX_SIZE_T_LEN + argv[i].len;
    }

    return size;
}


u_char *
ngx_http_frontdesk_resp_write(u_char *p, ngx_uint_t argc, ngx_str_t *argv)
{
    ngx_uint_t  i;

    p = ngx_sprintf(p, "*%ui" CRLF, argc);

    for (i = 0; i < argc; i++) {
        p = ngx_http_frontdesk_resp_length(p, argv[i].len);

        if (argv[i].len) {
            p = ngx_cpymem(p, argv[i].data, argv[i].len);
        }

        *p++ = CR;
        *p++ = LF;
    }

    return p;
}


/* "$<len>" CRLF; ngx_sprintf() shows among forty of them */

static u_char *
ngx_http_frontdesk_resp_length(u_char *p, size_t len)
{
    u_char   digits[NGX_SIZE_T_LEN];
    u_char  *last;

    last = digits + sizeof(digits);

    do {
        *--last = (u_char) (len % 10 + '0');
        len /= 10;
    } while (len);

    *p++ = '$';
    p = ngx_cpymem(p, last, digits + sizeof(digits) - last);
    *p++ = CR;
    *p++ = LF;

    return p;
}
