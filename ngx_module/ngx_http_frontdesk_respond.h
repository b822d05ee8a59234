
/*
 * Whole answers - JSON, problems - and the headers of all:
 * ngx_http_frontdesk_respond.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_RESPOND_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_RESPOND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/json.h"
#include "protocol/problem.h"


/* of static lists, whose last has no name */

typedef struct {
    const char                *name;
    ngx_str_t                  value;
} ngx_http_frontdesk_field_t;


/* body is not copied; of length 0, only headers are sent */
ngx_int_t ngx_http_frontdesk_respond(ngx_http_request_t *r, ngx_uint_t status,
    const char *content_type, ngx_str_t *body);
/* the same where status, length and headers are set */
ngx_int_t ngx_http_frontdesk_send(ngx_http_request_t *r, ngx_str_t *body);
ngx_int_t ngx_http_frontdesk_problem(ngx_http_request_t *r,
    struct fd_problem *problem);
ngx_int_t ngx_http_frontdesk_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);
/* the same, of up to two numbers: format as ngx_sprintf's, %i only */
ngx_int_t ngx_http_frontdesk_number_header(ngx_http_request_t *r,
    const char *name, const char *format, ngx_int_t a, ngx_int_t b);
/* all of a list */
ngx_int_t ngx_http_frontdesk_headers(ngx_http_request_t *r,
    const ngx_http_frontdesk_field_t *fields);
/* for those that nginx's own filters look at through headers_out */
ngx_table_elt_t *ngx_http_frontdesk_header_push(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);
/* of the request; NULL where the header is absent */
ngx_str_t *ngx_http_frontdesk_request_header(ngx_http_request_t *r,
    const char *name);
/* $request_id: on problems, in the job and in the logs of both halves */
ngx_str_t ngx_http_frontdesk_request_id(ngx_http_request_t *r);
/*
 * A problem where NGX_OK would be mistaken for success: its output's result,
 * NGX_OK turned into NGX_HTTP_OK, which finalizes a request all the same.
 */
ngx_int_t ngx_http_frontdesk_refuse(ngx_http_request_t *r,
    struct fd_problem *problem);
/* such a problem, of a type, perhaps with a field and a sentence */
ngx_int_t ngx_http_frontdesk_fail(ngx_http_request_t *r,
    enum fd_problem_type type, const char *field, const char *detail);
/* a JSON writer into the request's pool; the text is w->data, w->len */
void ngx_http_frontdesk_json_writer(struct fd_json_writer *w,
    ngx_pool_t *pool);


#endif /* _NGX_HTTP_FRONTDESK_RESPOND_H_INCLUDED_ */
