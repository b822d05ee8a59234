
/*
 * A key in the live Redis: ngx_http_frontdesk_key_read.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_KEY_READ_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_KEY_READ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "ngx_http_frontdesk_key.h"


#define NGX_HTTP_FRONTDESK_KEY_FIELDS  7

/* HMGET's */
#define NGX_HTTP_FRONTDESK_KEY_ARGS    (2 + NGX_HTTP_FRONTDESK_KEY_FIELDS)

/* "fd:key:" and the hash */
#define NGX_HTTP_FRONTDESK_KEY_NAME    (sizeof("fd:key:") - 1 + 64)


/* the command for key->sha256; name is what an element of argv points to */
void ngx_http_frontdesk_key_question(ngx_http_frontdesk_key_t *key,
    ngx_str_t argv[NGX_HTTP_FRONTDESK_KEY_ARGS],
    u_char name[NGX_HTTP_FRONTDESK_KEY_NAME]);
/* its reply: NGX_OK, NGX_DECLINED: there is none, NGX_ERROR: it is no key */
ngx_int_t ngx_http_frontdesk_key_read(ngx_http_request_t *r,
    ngx_http_frontdesk_key_t *key, redisReply *reply);


#endif /* _NGX_HTTP_FRONTDESK_KEY_READ_H_INCLUDED_ */
