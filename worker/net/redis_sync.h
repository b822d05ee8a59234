/* Redis_sync: a blocking connection with time-outs, for commands and pool threads. Never
 * on the loop. */
#ifndef FD_NET_REDIS_SYNC_H
#define FD_NET_REDIS_SYNC_H

#include <hiredis/hiredis.h>

/* address: unix:/path or IP:port ([IP]:port for IPv6). NULL: error says why. */
redisContext *redis_sync_connect(const char *address, int timeout_ms, char error[256]);

#endif
