
/*
 * A key was revoked or changed: open streams of a key that is no more end.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/keys.h"
#include "protocol/problem.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_key.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_stream.h"
#include "ngx_http_frontdesk_stream_state.h"


typedef struct {
    u_char      sha256[32];
    ngx_uint_t  used;
} ngx_http_frontdesk_revocation_t;


static void ngx_http_frontdesk_revoke_known(void *data, redisReply *reply);
static void ngx_http_frontdesk_revoke_look(ngx_http_frontdesk_stream_t *s,
    void *data);
static void ngx_http_frontdesk_revoke_end(ngx_http_frontdesk_stream_t *s,
    void *data);


/*
 * The hint says as well that a key was rotated, and lives on for a while: the
 * live server has been written before it, so it is asked.
 */

void
ngx_http_frontdesk_stream_revoke(u_char sha256[32])
{
    u_char                            hex[65];
    ngx_str_t                         argv[2];
    ngx_http_frontdesk_revocation_t  *rv;
    u_char                            key[sizeof(FD_KEY_APIKEY) + 64];

    rv = ngx_calloc(sizeof(ngx_http_frontdesk_revocation_t), ngx_cycle->log);
    if (rv == NULL) {
        return;
    }

    ngx_memcpy(rv->sha256, sha256, sizeof(rv->sha256));
    ngx_http_frontdesk_pulse_each(ngx_http_frontdesk_revoke_look, rv);

    if (!rv->used) {
        ngx_free(rv);
        return;
    }

    *ngx_hex_dump(hex, sha256, 32) = '\0';

    ngx_str_set(&argv[0], "EXISTS");
    argv[1].data = key;
    argv[1].len = ngx_sprintf(key, FD_KEY_APIKEY, hex) - key;

    if (ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_LIVE,
                                         ngx_http_frontdesk_revoke_known, rv,
                                         2, argv)
        == NULL)
    {
        ngx_http_frontdesk_revoke_known(rv, NULL);
    }
}


static void
ngx_http_frontdesk_revoke_known(void *data, redisReply *reply)
{
    ngx_http_frontdesk_revocation_t *rv = data;

    if (reply == NULL || reply->type != REDIS_REPLY_INTEGER
        || reply->integer == 0)
    {
        ngx_http_frontdesk_pulse_each(ngx_http_frontdesk_revoke_end, rv);
    }

    ngx_free(rv);
}


static void
ngx_http_frontdesk_revoke_look(ngx_http_frontdesk_stream_t *s, void *data)
{
    ngx_http_frontdesk_revocation_t *rv = data;

    if (ngx_memcmp(s->ctx->key->sha256, rv->sha256, sizeof(rv->sha256)) == 0) {
        rv->used = 1;
    }
}


static void
ngx_http_frontdesk_revoke_end(ngx_http_frontdesk_stream_t *s, void *data)
{
    ngx_http_frontdesk_revocation_t *rv = data;

    if (ngx_memcmp(s->ctx->key->sha256, rv->sha256, sizeof(rv->sha256)) == 0) {
        ngx_http_frontdesk_stream_problem(s, FD_PROBLEM_KEY_INVALID);
        s->ctx->close = NGX_HTTP_FRONTDESK_CLOSE_REVOKED;
    }
}
