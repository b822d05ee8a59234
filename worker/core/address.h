/*
 * Address: where a server listens, "unix:/path" or "IP:port" ("[::1]:6379"). Names
 * are refused: resolving one would block the loop.
 */
#ifndef FD_CORE_ADDRESS_H
#define FD_CORE_ADDRESS_H

#include <stdbool.h>

struct address {
    bool is_unix;
    char host[108]; /* the socket's path, or a numeric address */
    int port;       /* 0 for a socket */
};

bool address_parse(const char *text, struct address *address);

#endif
