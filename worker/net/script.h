/* Scripts: EVALSHA of protocol/scripts.h on one connection; loads them when the
 * connection opens and again on NOSCRIPT. */
#ifndef FD_NET_SCRIPT_H
#define FD_NET_SCRIPT_H

#include "net/redis.h"
#include "protocol/scripts.h"

struct script_set; /* the hashes known on one connection */

struct script_set *script_set_new(struct redis *redis);
void script_set_free(struct script_set *set);
/* Call from the connection's on_up. */
void script_set_load(struct script_set *set);
/* keys then args, nkeys of them keys. False as redis_command(). */
bool script_call(struct script_set *set, enum fd_script script, redis_reply_fn *fn, void *arg,
                 int nkeys, int argc, const char **argv, const size_t *argvlen);

#endif
