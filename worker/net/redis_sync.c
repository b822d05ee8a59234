#include "net/redis_sync.h"

#include "core/address.h"

#include <stdio.h>
#include <sys/time.h>

redisContext *redis_sync_connect(const char *address, int timeout_ms, char error[256])
{
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    struct address parsed;

    if (address == NULL || !address_parse(address, &parsed)) {
        snprintf(error, 256, "\"%.100s\" is not unix:/path or IP:port",
                 address != NULL ? address : "");
        return NULL;
    }
    redisContext *redis = parsed.is_unix
                              ? redisConnectUnixWithTimeout(parsed.host, timeout)
                              : redisConnectWithTimeout(parsed.host, parsed.port, timeout);
    if (redis == NULL) {
        snprintf(error, 256, "%.100s: out of memory", address);
        return NULL;
    }
    if (redis->err != 0 || redisSetTimeout(redis, timeout) != REDIS_OK) {
        snprintf(error, 256, "%.100s: %.120s", address, redis->errstr);
        redisFree(redis);
        return NULL;
    }
    return redis;
}
