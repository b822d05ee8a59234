/* Http multi: a curl multi handle on the loop - its sockets, its timer, and what has
 * ended. Private to net/http.c. */
#ifndef FD_NET_HTTP_MULTI_H
#define FD_NET_HTTP_MULTI_H

#include "core/loop.h"

#include <curl/curl.h>

struct http_multi {
    struct loop *loop;
    CURLM *curl;
    struct timer *timer;
    void (*on_done)(CURL *easy, CURLcode code); /* may add and remove handles */
};

bool http_multi_init(struct http_multi *multi, struct loop *loop,
                     void (*on_done)(CURL *easy, CURLcode code));
/* Does now what curl has set a timer for: the first step of a handle just added. */
void http_multi_step(struct http_multi *multi);
/* After every handle was removed. */
void http_multi_free(struct http_multi *multi);

#endif
