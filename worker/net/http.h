/*
 * Http: requests on the loop, over libcurl's multi interface. Made for provider
 * streams: HTTP/1.1 (a cancelled HTTP/2 stream did not reach the provider before
 * curl 8.15), QUICK_EXIT (a slow name look-up froze the loop), no redirects, no
 * proxy. The four timeouts are our own timers, not curl's.
 *
 * Callbacks come from the loop, never from inside http_start(). After
 * http_cancel() or on_end none comes any more.
 */
#ifndef FD_NET_HTTP_H
#define FD_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct sockaddr;
struct http_client;
struct http_request; /* valid until on_end or http_cancel() */

enum http_failure {
    HTTP_OK, /* the response came whole; look at status */
    HTTP_BAD_URL,
    HTTP_RESOLVE,
    HTTP_CONNECT,
    HTTP_TLS,
    HTTP_CONNECT_TIMEOUT,
    HTTP_FIRST_BYTE_TIMEOUT, /* reported as first token: see http_alive() */
    HTTP_IDLE_TIMEOUT,
    HTTP_TOTAL_TIMEOUT,
    HTTP_CUT,      /* the connection ended inside the response */
    HTTP_TOO_LARGE /* more than max_body */
};

struct http_options {
    const char *method; /* "GET", "POST" */
    const char *url;
    const char *const *headers; /* "Name: value", NULL at the end; CR and LF are refused */
    const char *body;           /* copied */
    size_t body_len;
    int connect_ms;
    int first_ms; /* from start until http_alive() is first called, 0 = none */
    int idle_ms;  /* between http_alive() calls after the first, 0 = none */
    int total_ms;
    size_t max_body;
    /* Of a stranger's URL (net/outbound.c), else NULL: where its host is
     * ("host:port:address[,address]"), and a say about each address, before connecting
     * and again before the request is sent; no connection is kept or taken over. */
    const char *resolve;
    bool (*may_reach)(void *arg, const struct sockaddr *address);

    /* status and headers are known; before any on_data */
    void (*on_headers)(void *arg, int status);
    void (*on_data)(void *arg, const char *data, size_t len);
    /* http_header() still works in here */
    void (*on_end)(void *arg, enum http_failure failure, int status, const char *error);
    void *arg;
};

struct http_client *http_client_new(struct loop *loop);
void http_client_free(struct http_client *client);
/* NULL: the URL or a header is unusable, nothing will be called. */
struct http_request *http_start(struct http_client *client, const struct http_options *options);
/* Something that counts as life arrived (an event of the stream, not a mere
 * byte): re-arms the idle timer, ends the first-token timer. */
void http_alive(struct http_request *request);
/* Response header by case-insensitive name, NULL if absent; valid until on_end returns. */
const char *http_header(const struct http_request *request, const char *name);
/* Closes the connection now, so that the provider stops. */
void http_cancel(struct http_request *request);

const char *http_failure_text(enum http_failure failure);
/* The server may have got the request, whatever came back. */
bool http_was_sent(enum http_failure failure);

#endif
