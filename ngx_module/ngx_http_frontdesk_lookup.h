
/*
 * A question to the live Redis that a request waits for, and with it whether
 * the server has everything: only where fd:keys:synced is there does a miss
 * mean something.  ngx_http_frontdesk_lookup.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_LOOKUP_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_LOOKUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_ctx.h"
#include "ngx_http_frontdesk_redis.h"


typedef struct ngx_http_frontdesk_lookup_s  ngx_http_frontdesk_lookup_t;

/* NGX_OK: it is there, NGX_DECLINED: it is not, NGX_ERROR: no such answer */
typedef ngx_int_t (*ngx_http_frontdesk_lookup_read_pt)(
    ngx_http_frontdesk_lookup_t *lookup, struct redisReply *reply);
/*
 * Of what is so: as before, but NGX_ERROR is that nobody knows.  Returns what
 * `done` is called with.
 */
typedef ngx_int_t (*ngx_http_frontdesk_lookup_verdict_pt)(
    ngx_http_frontdesk_lookup_t *lookup, ngx_int_t found);


/* the caller, whose memory it is, sets the first members; it has been zeroed */

struct ngx_http_frontdesk_lookup_s {
    ngx_http_request_t                    *request;
    ngx_http_frontdesk_ctx_t              *ctx;
    ngx_http_frontdesk_lookup_read_pt      read;
    ngx_http_frontdesk_lookup_verdict_pt   verdict;
    ngx_http_frontdesk_done_pt             done;

    ngx_http_frontdesk_op_t               *question;
    ngx_http_frontdesk_op_t               *marker;
    ngx_int_t                              found;
};


/*
 * NGX_AGAIN: done() is called later; or the verdict, where Redis cannot be
 * asked.  The request is parked as a phase's, see park.h.
 */
ngx_int_t ngx_http_frontdesk_lookup(ngx_http_frontdesk_lookup_t *lookup,
    ngx_uint_t argc, ngx_str_t *argv);


#endif /* _NGX_HTTP_FRONTDESK_LOOKUP_H_INCLUDED_ */
