
/*
 * readyz: a message would be admitted here and now - both Redis servers
 * answer, a worker has written fd:meta, and one is alive.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <hiredis/hiredis.h>

#include "protocol/json.h"
#include "protocol/keys.h"

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_meta.h"
#include "ngx_http_frontdesk_park.h"
#include "ngx_http_frontdesk_redis.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_service.h"


typedef struct {
    ngx_http_request_t        *request;
    ngx_http_frontdesk_op_t   *op;
} ngx_http_frontdesk_ready_t;


static void ngx_http_frontdesk_ready_reply(void *data, redisReply *reply);
static ngx_int_t ngx_http_frontdesk_ready_answer(ngx_http_request_t *r,
    ngx_int_t workers);


ngx_int_t
ngx_http_frontdesk_ready(ngx_http_request_t *r)
{
    ngx_str_t                    argv[4];
    ngx_http_frontdesk_ready_t  *ready;
    u_char                       now[NGX_TIME_T_LEN + 3];

    ready = ngx_pcalloc(r->pool, sizeof(ngx_http_frontdesk_ready_t));

    if (ready == NULL
        || ngx_http_frontdesk_redis_guard(r, &ready->op) != NGX_OK
        || ngx_http_frontdesk_redis_key(r->pool, &argv[1], FD_KEY_ALIVE, "0")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ready->request = r;

    ngx_str_set(&argv[0], "ZCOUNT");
    argv[2].data = now;
    argv[2].len = ngx_sprintf(now, "%T000", ngx_time()) - now;
    ngx_str_set(&argv[3], "+inf");

    ready->op = ngx_http_frontdesk_redis_command(NGX_HTTP_FRONTDESK_JOBS,
                                                ngx_http_frontdesk_ready_reply,
                                                ready, 4, argv);
    if (ready->op == NULL) {
        return ngx_http_frontdesk_ready_answer(r, 0);
    }

    ngx_http_frontdesk_park(r);

    return NGX_DONE;
}


static void
ngx_http_frontdesk_ready_reply(void *data, redisReply *reply)
{
    ngx_int_t                    workers;
    ngx_http_request_t          *r;
    ngx_http_frontdesk_ready_t  *ready = data;

    r = ready->request;
    ready->op = NULL;

    workers = (reply && reply->type == REDIS_REPLY_INTEGER) ? reply->integer
                                                            : 0;

    ngx_http_frontdesk_resume(r, ngx_http_frontdesk_ready_answer(r, workers));
}


static ngx_int_t
ngx_http_frontdesk_ready_answer(ngx_http_request_t *r, ngx_int_t workers)
{
    ngx_str_t              body;
    ngx_uint_t             jobs, live, meta, ready;
    struct fd_json_writer  w;

    jobs = ngx_http_frontdesk_redis_up(NGX_HTTP_FRONTDESK_JOBS);
    live = ngx_http_frontdesk_redis_up(NGX_HTTP_FRONTDESK_LIVE);
    meta = (ngx_http_frontdesk_session_key() != NULL);
    ready = jobs && live && meta && workers > 0;

    ngx_http_frontdesk_json_writer(&w, r->pool);

    fd_jw_object(&w);
    fd_jw_member(&w, "status", ready ? "ready" : "unavailable");
    fd_jw_member_bool(&w, "redis_jobs", jobs != 0);
    fd_jw_member_bool(&w, "redis_live", live != 0);
    fd_jw_member_bool(&w, "meta", meta != 0);
    fd_jw_member_int(&w, "workers", workers);
    fd_jw_end_object(&w);

    if (w.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = (u_char *) w.data;
    body.len = w.len;

    return ngx_http_frontdesk_respond(r, ready ? NGX_HTTP_OK
                                               : NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "application/json", &body);
}
