
/*
 * fd:meta: what a worker says to every nginx, read when the jobs connection
 * opens: the key of conversations' ids, and how many shards the queue has.
 */


#ifndef _NGX_HTTP_FRONTDESK_META_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_META_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


struct redisReply;


/* ngx_http_frontdesk_meta.c */

/* FD_SESSION_KEY_LEN bytes; NULL until they are known */
const u_char *ngx_http_frontdesk_session_key(void);
/* CRC-32 of the id modulo shards; only once fd:meta is known */
ngx_uint_t ngx_http_frontdesk_shard(ngx_str_t *org);

/* of HMGET shards session_key; NGX_ERROR: not good, what was known stays */
ngx_int_t ngx_http_frontdesk_meta_set(struct redisReply *reply);


#endif /* _NGX_HTTP_FRONTDESK_META_H_INCLUDED_ */
