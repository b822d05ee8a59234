/*
 * Outbound: requests to URLs that a tenant gave (webhooks, integrations, embeddings).
 * The name is resolved by evdns, every address is judged by net/guard.h, the judged
 * ones are pinned, and curl's own socket and pre-request hooks judge again what it
 * really connects to. Own multi handle and fresh connections: nothing is shared with
 * the providers' client. No redirect, no proxy, no cookie, no credentials of a
 * .netrc; http and https only; bodies, header lists and times are bounded.
 *
 * Callbacks come from the loop, never from inside outbound_start(). After
 * outbound_cancel() or on_end none comes any more.
 */
#ifndef FD_NET_OUTBOUND_H
#define FD_NET_OUTBOUND_H

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct outbound;         /* one a loop */
struct outbound_request; /* valid until on_end or outbound_cancel() */

enum outbound_failure {
    OUTBOUND_OK,         /* a response came whole, whatever its status */
    OUTBOUND_BAD_URL,    /* not an absolute http(s) URL without user and fragment */
    OUTBOUND_BAD_HEADER, /* CR, LF, NUL or another control character in a value */
    OUTBOUND_RESOLVE,    /* the name has no address, or DNS did not answer */
    OUTBOUND_BLOCKED,    /* an address that tenants may not reach */
    OUTBOUND_CONNECT,
    OUTBOUND_TLS,
    OUTBOUND_TIMEOUT,
    OUTBOUND_CUT,       /* the connection ended inside the response */
    OUTBOUND_TOO_LARGE, /* more than max_body */
    OUTBOUND_REDIRECT   /* 3xx: not followed */
};
/* "blocked", "timeout", ...: stable, for logs, metrics and the model. */
const char *outbound_failure_name(enum outbound_failure failure);

struct outbound_options {
    const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE" */
    const char *url;
    const char *const *headers; /* "Name: value", NULL at the end; may be NULL */
    const char *body;           /* copied; NULL = none */
    size_t body_len;
    int connect_ms;  /* 0: OUTBOUND_CONNECT_MS */
    int total_ms;    /* 0: OUTBOUND_TOTAL_MS; from start, DNS included */
    size_t max_body; /* 0: OUTBOUND_BODY_MAX */

    /* For a stream; each may be 0 or NULL. With on_data the response has no body. */
    int first_ms; /* from the connection until outbound_alive() is first called */
    int idle_ms;  /* between its calls after the first */
    void (*on_headers)(void *arg, int status); /* not of a redirect */
    void (*on_data)(void *arg, const char *data, size_t len);
};

#define OUTBOUND_CONNECT_MS 10000
#define OUTBOUND_TOTAL_MS   30000
#define OUTBOUND_BODY_MAX   2097152

struct outbound_response {
    enum outbound_failure failure;
    bool sent;                /* the server may have it, and have done what it asks for */
    int status;               /* 0 = none came */
    const char *content_type; /* "" if absent */
    int64_t retry_after_s;    /* -1 = not said */
    const char *body;         /* NUL terminated; "" if none */
    size_t body_len;
    int64_t ms;        /* from start to end */
    const char *error; /* one line of UTF-8 for the operator: what, and what would be right */
};

typedef void outbound_end_fn(void *arg, const struct outbound_response *response);

/* `allow`: the platform owner's exceptions, "host:port[,host:port...]" (never a
 * tenant's; FRONTDESK_OUTBOUND_ALLOW), not copied; NULL = none. NULL: curl or evdns
 * cannot start. */
struct outbound *outbound_new(struct loop *loop, const char *allow);
/* For the whole process, before the first request: which servers to ask for names,
 * "IP[:port],..." (FRONTDESK_DNS_SERVERS); NULL = those of /etc/resolv.conf. */
void outbound_use_dns(const char *servers);
void outbound_free(struct outbound *outbound); /* cancels what is open */

/* Never NULL: even a URL that is unusable is told through on_end. Everything in
 * `options` is copied. */
struct outbound_request *outbound_start(struct outbound *outbound,
                                        const struct outbound_options *options,
                                        outbound_end_fn *on_end, void *arg);
void outbound_cancel(struct outbound_request *request);
/* Of a stream: something that counts as life arrived (net/http.h). */
void outbound_alive(struct outbound_request *request);
/* Response header, NULL if absent; from on_headers until on_end returns. */
const char *outbound_header(const struct outbound_request *request, const char *name);

/* The same, for a pool thread or a command: runs a loop of its own until the end.
 * on_end is called before it returns. */
void outbound_perform(const char *allow, const struct outbound_options *options,
                      outbound_end_fn *on_end, void *arg);

/* For what is not HTTP, from a pool thread or a command: one address of the host, once all
 * of them are judged as those of a URL would be. Blocks. OUTBOUND_OK, or what outbound
 * requests fail with and in `error` why. */
#define OUTBOUND_ADDRESS_SIZE 46
enum outbound_failure outbound_resolve(const char *allow, const char *host, int port,
                                       int timeout_ms, char address[OUTBOUND_ADDRESS_SIZE],
                                       char error[256]);

/* Signature of a body that we send: "t=<unix seconds>,v1=<hex>" where hex is
 * HMAC-SHA256(secret, "<unix seconds>.<body>"). The receiver refuses a time more than
 * 300 s away. */
#define OUTBOUND_SIGNATURE_SIZE 96
void outbound_sign(char out[OUTBOUND_SIGNATURE_SIZE], const char *secret, int64_t unix_s,
                   const char *body, size_t len);

#endif
