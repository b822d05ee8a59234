/*
 * Resolve: the addresses of a name, by evdns on the loop. This libcurl resolves in
 * threads, and connects before it shows what it found. DNS only, and `localhost`:
 * neither the hosts file nor a search list has a say about tenants' URLs.
 */
#ifndef FD_NET_RESOLVE_H
#define FD_NET_RESOLVE_H

#include <stddef.h>

#include <netinet/in.h>

struct loop;
struct resolver; /* one a loop */
struct lookup;   /* valid until its callback or lookup_cancel() */

union resolved {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* count 0: there is none, and error says why. Never from inside lookup_start(). */
typedef void lookup_fn(void *arg, const union resolved *addresses, size_t count, const char *error);

/* servers: "IP[:port],..."; NULL = those of /etc/resolv.conf. NULL: evdns cannot start. */
struct resolver *resolver_new(struct loop *loop, const char *servers);
void resolver_free(struct resolver *resolver); /* forgets what is open */

struct lookup *lookup_start(struct resolver *resolver, const char *host, int port, lookup_fn *fn,
                            void *arg);
void lookup_cancel(struct lookup *lookup);

#endif
