/*
 * Target: a tenant's URL, taken apart the way curl will take it, so that what is
 * judged is what is reached: odd spellings of addresses (2130706433, 0x7f.1, 127.1)
 * become the address. Pure.
 */
#ifndef FD_NET_TARGET_H
#define FD_NET_TARGET_H

#include "core/host_port.h"

#include <stdbool.h>
#include <stddef.h>

#define TARGET_URL_MAX 8192

struct target {
    char *url;            /* what to give to curl; target_free() */
    char host[HOST_SIZE]; /* lower case, ASCII, without brackets and closing dot */
    int port;
    bool is_address; /* host is one, not a name */
};

/* False: not an absolute http(s) URL without user and fragment; error says why. */
bool target_parse(struct target *target, const char *url, char error[256]);
void target_free(struct target *target);

/* Of one scheme, host and port: what was entrusted to the one is known to the other. False where
 * either is none, or NULL. */
bool target_same_server(const char *url, const char *other);

#endif
