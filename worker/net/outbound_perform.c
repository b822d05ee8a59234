/* What outbound.h offers besides the loop: requests and names from a thread of its own,
 * and the signature of a body. */
#include "net/outbound.h"
#include "net/guard.h"
#include "net/outbound_check.h"
#include "net/resolve.h"
#include "core/loop.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

struct performance {
    struct loop *loop;
    outbound_end_fn *on_end;
    void *arg;
};

static void on_performed(void *arg, const struct outbound_response *response)
{
    struct performance *performance = arg;

    performance->on_end(performance->arg, response);
    loop_stop(performance->loop);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

/* evdns tells what was cancelled in the turn after. */
static void last_turn(struct loop *loop)
{
    struct timer *timer = timer_new(loop, stop, loop);

    timer_set(timer, 0);
    loop_run(loop);
    timer_free(timer);
}

void outbound_perform(const char *allow, const struct outbound_options *options,
                      outbound_end_fn *on_end, void *arg)
{
    struct performance performance = {loop_new(), on_end, arg};
    struct outbound *outbound = outbound_new(performance.loop, allow);

    if (outbound == NULL) {
        const struct outbound_response response = {.failure = OUTBOUND_CONNECT,
                                                   .content_type = "",
                                                   .retry_after_s = -1,
                                                   .body = "",
                                                   .error = "the client cannot start"};

        on_end(arg, &response);
    } else {
        outbound_start(outbound, options, on_performed, &performance);
        loop_run(performance.loop);
        outbound_free(outbound);
        last_turn(performance.loop);
    }
    loop_free(performance.loop);
}

/* -- a name ------------------------------------------------------------------------- */

struct question {
    struct loop *loop;
    struct timer *patience;
    struct lookup *lookup;
    const char *allow;
    const char *host;
    bool exempt;
    enum outbound_failure failure;
    char *address;
    char *error;
};

static void judge(struct question *q, const union resolved *addresses, size_t count)
{
    bool v6 = addresses[0].any.sa_family == AF_INET6;

    for (size_t i = 0; i < count; i++) {
        if (!outbound_judge(q->allow, q->exempt, q->host, &addresses[i].any, q->error)) {
            q->failure = OUTBOUND_BLOCKED;
            return;
        }
    }
    inet_ntop(v6 ? AF_INET6 : AF_INET,
              v6 ? (const void *)&addresses[0].in6.sin6_addr
                 : (const void *)&addresses[0].in.sin_addr,
              q->address, OUTBOUND_ADDRESS_SIZE);
    q->failure = OUTBOUND_OK;
}

static void on_lookup(void *arg, const union resolved *addresses, size_t count, const char *error)
{
    struct question *q = arg;

    q->lookup = NULL;
    if (count > 0)
        judge(q, addresses, count);
    else
        snprintf(q->error, 256, "%.150s: %s", q->host, error);
    loop_stop(q->loop);
}

static void on_patience_end(void *arg)
{
    struct question *q = arg;

    snprintf(q->error, 256, "%.150s: DNS did not answer in time", q->host);
    loop_stop(q->loop);
}

static void ask(struct question *q, int port, int timeout_ms)
{
    struct resolver *resolver = resolver_new(q->loop, outbound_dns_servers);

    if (resolver == NULL)
        return;
    q->patience = timer_new(q->loop, on_patience_end, q);
    timer_set(q->patience, timeout_ms);
    q->lookup = lookup_start(resolver, q->host, port, on_lookup, q);
    loop_run(q->loop);
    if (q->lookup != NULL)
        lookup_cancel(q->lookup);
    timer_free(q->patience);
    resolver_free(resolver);
    last_turn(q->loop);
}

enum outbound_failure outbound_resolve(const char *allow, const char *host, int port,
                                       int timeout_ms, char address[OUTBOUND_ADDRESS_SIZE],
                                       char error[256])
{
    struct question q = {.allow = allow,
                         .host = host,
                         .exempt = guard_exempts_name(allow, host, port),
                         .failure = OUTBOUND_RESOLVE,
                         .address = address,
                         .error = error};
    union resolved literal;

    if (outbound_literal(host, port, &literal)) {
        judge(&q, &literal, 1);
        return q.failure;
    }
    snprintf(error, 256, "the resolver cannot start");
    q.loop = loop_new();
    ask(&q, port, timeout_ms);
    loop_free(q.loop);
    return q.failure;
}

/* -- a signature ---------------------------------------------------------------------- */

void outbound_sign(char out[OUTBOUND_SIGNATURE_SIZE], const char *secret, int64_t unix_s,
                   const char *body, size_t len)
{
    crypto_auth_hmacsha256_state state;
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    char hex[2 * sizeof(mac) + 1];
    char time[24];

    snprintf(time, sizeof(time), "%" PRId64, unix_s);
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)time, strlen(time));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)".", 1);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
    snprintf(out, OUTBOUND_SIGNATURE_SIZE, "t=%s,v1=%s", time, hex);
    sodium_memzero(&state, sizeof(state));
}

const char *outbound_failure_name(enum outbound_failure failure)
{
    switch (failure) {
    case OUTBOUND_OK: return "ok";
    case OUTBOUND_BAD_URL: return "bad_url";
    case OUTBOUND_BAD_HEADER: return "bad_header";
    case OUTBOUND_RESOLVE: return "resolve";
    case OUTBOUND_BLOCKED: return "blocked";
    case OUTBOUND_CONNECT: return "connect";
    case OUTBOUND_TLS: return "tls";
    case OUTBOUND_TIMEOUT: return "timeout";
    case OUTBOUND_CUT: return "cut";
    case OUTBOUND_TOO_LARGE: return "too_large";
    case OUTBOUND_REDIRECT: return "redirect";
    }
    return "unknown";
}
