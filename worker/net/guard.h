/*
 * Guard: may a tenant's URL reach this address? Only what is public on the Internet,
 * plus what the platform's owner lists. Pure. It judges addresses, never names: a name
 * means what DNS says at the moment.
 */
#ifndef FD_NET_GUARD_H
#define FD_NET_GUARD_H

#include <stdbool.h>

struct sockaddr;

/* NULL: public. Else what the address is, for a person: "loopback", "private network".
 * An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, Teredo) is judged itself. */
const char *guard_reason(const struct sockaddr *address);

/* The owner's exceptions: "host:port[,host:port...]" (core/host_port.h), NULL = none.
 * A name is one for the URLs that are written with it, whatever it resolves to; an
 * address for every URL that leads there. */
bool guard_exempts_name(const char *allow, const char *host, int port);
bool guard_exempts_address(const char *allow, const struct sockaddr *address);

#endif
