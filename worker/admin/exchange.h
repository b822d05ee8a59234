/*
 * Exchange: one request, from its headers to its reply. Judged on the loop before a
 * thread sees it: who asks, which route, what may be in its body.
 */
#ifndef FD_ADMIN_EXCHANGE_H
#define FD_ADMIN_EXCHANGE_H

#include "admin/server.h"

struct evhttp_request;

#define EXCHANGE_JSON_MAX  1048576   /* bytes of a JSON body */
#define EXCHANGE_RAW_MAX   33554432  /* bytes of an upload */
#define EXCHANGE_REPLY_MAX 33554432  /* bytes of an answer */
#define EXCHANGE_OPEN_MAX  64        /* requests in work */
#define EXCHANGE_BYTES_MAX 268435456 /* of the bodies of all of them */

void exchange_start(struct server *server, struct evhttp_request *http);

#endif
