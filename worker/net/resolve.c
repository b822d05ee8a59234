#include "net/resolve.h"
#include "core/host_port.h"
#include "core/log.h"
#include "core/loop.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/dns.h>
#include <utlist.h>

#define DNS_PORT      53
#define SKEW_MS       2000 /* for the other family, once one has answered */
#define ADDRESSES_MAX 64   /* evdns takes 32 of a family */

struct resolver {
    struct loop *loop;
    struct evdns_base *dns;
    struct lookup *lookups;
};

/* The question for one family. evdns calls back once even after a cancel: it lives
 * until then, its lookup may not. */
struct half {
    struct lookup *lookup; /* NULL: nobody waits any more */
    struct evdns_request *request;
};

struct lookup {
    struct resolver *resolver;
    struct half *halves[2];
    struct timer *skew;
    int port;
    union resolved addresses[ADDRESSES_MAX];
    size_t count;
    const char *error;
    lookup_fn *fn;
    void *arg;
    struct lookup *prev, *next;
};

static void *must(void *memory)
{
    if (memory == NULL) {
        log_error(NULL, "resolve.no_memory");
        abort();
    }
    return memory;
}

static void forget_halves(struct lookup *lookup)
{
    for (int i = 0; i < 2; i++) {
        struct half *half = lookup->halves[i];

        lookup->halves[i] = NULL;
        if (half == NULL)
            continue;
        half->lookup = NULL;
        evdns_cancel_request(lookup->resolver->dns, half->request);
    }
}

static void tell(void *arg)
{
    struct lookup *lookup = arg;

    loop_undefer(lookup->resolver->loop, tell, lookup); /* the timer was first */
    forget_halves(lookup);
    DL_DELETE(lookup->resolver->lookups, lookup);
    timer_free(lookup->skew);
    lookup->fn(lookup->arg, lookup->addresses, lookup->count,
               lookup->count > 0 ? NULL : lookup->error);
    free(lookup);
}

/* -- answers ------------------------------------------------------------------ */

static void add_v4(struct lookup *lookup, uint32_t address)
{
    if (lookup->count < ADDRESSES_MAX)
        lookup->addresses[lookup->count++].in =
            (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)lookup->port),
                                 .sin_addr.s_addr = address};
}

static void add_v6(struct lookup *lookup, const struct in6_addr *address)
{
    if (lookup->count < ADDRESSES_MAX)
        lookup->addresses[lookup->count++].in6 =
            (struct sockaddr_in6){.sin6_family = AF_INET6,
                                  .sin6_port = htons((uint16_t)lookup->port),
                                  .sin6_addr = *address};
}

static void take(struct lookup *lookup, int result, char type, int count, const char *addresses)
{
    if (result == DNS_ERR_NOTEXIST || result == DNS_ERR_NODATA || result == DNS_ERR_NONE)
        lookup->error = "the name does not exist, or has no address";
    if (result != DNS_ERR_NONE)
        return;
    for (int i = 0; i < count; i++) {
        struct in6_addr v6;
        uint32_t v4;

        if (type == DNS_IPv4_A) {
            memcpy(&v4, addresses + (size_t)i * sizeof(v4), sizeof(v4));
            add_v4(lookup, v4);
        } else if (type == DNS_IPv6_AAAA) {
            memcpy(&v6, addresses + (size_t)i * sizeof(v6), sizeof(v6));
            add_v6(lookup, &v6);
        }
    }
}

static void on_answer(int result, char type, int count, int ttl, void *addresses, void *arg)
{
    struct half *half = arg;
    struct lookup *lookup = half->lookup;

    (void)ttl;
    if (lookup != NULL) {
        lookup->halves[lookup->halves[0] == half ? 0 : 1] = NULL;
        take(lookup, result, type, count, addresses);
        if (lookup->halves[0] == NULL && lookup->halves[1] == NULL)
            loop_defer(lookup->resolver->loop, tell, lookup);
        else if (lookup->count > 0)
            timer_set(lookup->skew, SKEW_MS);
    }
    free(half);
}

/* -- questions ------------------------------------------------------------------ */

static struct half *ask(struct lookup *lookup, const char *host, char type)
{
    struct evdns_base *dns = lookup->resolver->dns;
    struct half *half = must(calloc(1, sizeof(*half)));

    half->lookup = lookup;
    half->request = type == DNS_IPv4_A
                        ? evdns_base_resolve_ipv4(dns, host, DNS_QUERY_NO_SEARCH, on_answer, half)
                        : evdns_base_resolve_ipv6(dns, host, DNS_QUERY_NO_SEARCH, on_answer, half);
    if (half->request == NULL) { /* not a name that can be asked for */
        free(half);
        return NULL;
    }
    return half;
}

/* RFC 6761, 6.3: never a question for DNS. */
static bool is_localhost(const char *host)
{
    size_t len = strlen(host);

    return strcmp(host, "localhost") == 0 ||
           (len > 10 && strcmp(host + len - 10, ".localhost") == 0);
}

struct lookup *lookup_start(struct resolver *resolver, const char *host, int port, lookup_fn *fn,
                            void *arg)
{
    struct lookup *lookup = must(calloc(1, sizeof(*lookup)));

    lookup->resolver = resolver;
    lookup->skew = timer_new(resolver->loop, tell, lookup);
    lookup->port = port;
    lookup->error = "DNS did not answer";
    lookup->fn = fn;
    lookup->arg = arg;
    DL_APPEND(resolver->lookups, lookup);
    if (is_localhost(host)) {
        add_v4(lookup, htonl(INADDR_LOOPBACK));
        add_v6(lookup, &in6addr_loopback);
    } else {
        lookup->halves[0] = ask(lookup, host, DNS_IPv4_A);
        lookup->halves[1] = ask(lookup, host, DNS_IPv6_AAAA);
    }
    if (lookup->halves[0] == NULL && lookup->halves[1] == NULL)
        loop_defer(resolver->loop, tell, lookup);
    return lookup;
}

void lookup_cancel(struct lookup *lookup)
{
    loop_undefer(lookup->resolver->loop, tell, lookup);
    forget_halves(lookup);
    DL_DELETE(lookup->resolver->lookups, lookup);
    timer_free(lookup->skew);
    free(lookup);
}

/* -- the resolver ---------------------------------------------------------------- */

/* One tenant's silent name servers must not make the resolver seem dead to all. */
static void set_options(struct evdns_base *dns)
{
    evdns_base_set_option(dns, "timeout:", "2");
    evdns_base_set_option(dns, "attempts:", "3");
    evdns_base_set_option(dns, "max-timeouts:", "255");
    evdns_base_set_option(dns, "max-inflight:", "1024");
}

static bool add_servers(struct evdns_base *dns, const char *servers)
{
    struct host_port server;
    char text[HOST_SIZE + 16];

    while (host_port_next(&servers, DNS_PORT, &server)) {
        bool v6 = strchr(server.host, ':') != NULL;

        snprintf(text, sizeof(text), v6 ? "[%s]:%d" : "%s:%d", server.host, server.port);
        if (evdns_base_nameserver_ip_add(dns, text) != 0)
            return false;
    }
    return *servers == '\0';
}

struct resolver *resolver_new(struct loop *loop, const char *servers)
{
    struct resolver *resolver = calloc(1, sizeof(*resolver));
    bool ok;

    if (resolver == NULL)
        return NULL;
    resolver->loop = loop;
    resolver->dns = evdns_base_new(loop_base(loop), EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (resolver->dns == NULL) {
        free(resolver);
        return NULL;
    }
    set_options(resolver->dns);
    ok = servers != NULL ? add_servers(resolver->dns, servers)
                         : evdns_base_resolv_conf_parse(resolver->dns, DNS_OPTION_NAMESERVERS,
                                                        "/etc/resolv.conf") == 0;
    if (!ok) /* addresses and localhost work all the same */
        log_warn(NULL, "resolve.no_servers");
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    struct lookup *lookup, *next;

    DL_FOREACH_SAFE (resolver->lookups, lookup, next)
        lookup_cancel(lookup);
    evdns_base_free(resolver->dns, 1);
    free(resolver);
}
