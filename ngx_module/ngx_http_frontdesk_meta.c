
/*
 * fd:meta, as the greeting of the jobs connection brings it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <hiredis/hiredis.h>

#include "protocol/ids.h"

#include "ngx_http_frontdesk_meta.h"


static u_char      ngx_http_frontdesk_secret[FD_SESSION_KEY_LEN];
static ngx_uint_t  ngx_http_frontdesk_shard_count;     /* 0: unread */


const u_char *
ngx_http_frontdesk_session_key(void)
{
    return ngx_http_frontdesk_shard_count ? ngx_http_frontdesk_secret : NULL;
}


ngx_uint_t
ngx_http_frontdesk_shard(ngx_str_t *org)
{
    if (ngx_http_frontdesk_shard_count == 1) {
        return 0;
    }

    return ngx_crc32_short(org->data, org->len)
           % ngx_http_frontdesk_shard_count;
}


ngx_int_t
ngx_http_frontdesk_meta_set(redisReply *reply)
{
    ngx_int_t    shards, octet;
    ngx_uint_t   i;
    redisReply  *count, *key;
    u_char       secret[FD_SESSION_KEY_LEN];

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        return NGX_ERROR;
    }

    count = reply->element[0];
    key = reply->element[1];

    if (count->type != REDIS_REPLY_STRING || key->type != REDIS_REPLY_STRING
        || (size_t) key->len != 2 * sizeof(secret))
    {
        return NGX_ERROR;
    }

    shards = ngx_atoi((u_char *) count->str, count->len);

    if (shards < 1 || shards > 9999) {
        return NGX_ERROR;
    }

    for (i = 0; i < sizeof(secret); i++) {
        octet = ngx_hextoi((u_char *) key->str + 2 * i, 2);

        if (octet == NGX_ERROR) {
            return NGX_ERROR;
        }

        secret[i] = (u_char) octet;
    }

    ngx_memcpy(ngx_http_frontdesk_secret, secret, sizeof(secret));
    ngx_http_frontdesk_shard_count = shards;

    return NGX_OK;
}
