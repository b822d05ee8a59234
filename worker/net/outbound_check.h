/* Outbound_check: what a request of a tenant's may be made of, which addresses it may
 * reach, and how curl is told of those that were judged. Pure. */
#ifndef FD_NET_OUTBOUND_CHECK_H
#define FD_NET_OUTBOUND_CHECK_H

#include "core/arena.h"
#include "net/resolve.h"
#include "net/target.h"

#include <stdbool.h>

extern const char *outbound_dns_servers; /* of outbound_use_dns() */

bool outbound_check_method(const char *method, char error[256]);
/* "Name: value", NULL at the end; may be NULL. Not those that frame the message. */
bool outbound_check_headers(const char *const *headers, char error[256]);
/* `exempt`: the owner lists this host and port. False: error says what the address is. */
bool outbound_judge(const char *allow, bool exempt, const char *host,
                    const struct sockaddr *address, char error[256]);
/* An address of text; false: it is none, but a name. */
bool outbound_literal(const char *host, int port, union resolved *address);
/* "+host:port:address[,address]" for CURLOPT_RESOLVE; "+": curl forgets it again. */
const char *outbound_pin(struct arena *a, const struct target *target,
                         const union resolved *addresses, size_t count);

#endif
