/*
 * Stream: an answer that is made while it is sent. The next part is made on a pool thread
 * once the client has taken the part before: who reads slowly holds no thread, and no more
 * memory than a part. Loop thread.
 */
#ifndef FD_ADMIN_STREAM_H
#define FD_ADMIN_STREAM_H

#include "admin/server.h"

#include <stdint.h>

struct admin_reply;
struct admin_request;
struct evhttp_request;

/* `whole` false: the client left, or the rest could not be had; it sees that it was cut. */
typedef void stream_end_fn(void *arg, uint64_t bytes, bool whole);

/* What is in the reply's body goes first. The request and the reply stay until end(arg),
 * which may come before this returns; http is not the caller's any more. */
void stream_start(struct server *server, struct evhttp_request *http, struct admin_request *request,
                  struct admin_reply *reply, stream_end_fn *end, void *arg);

#endif
