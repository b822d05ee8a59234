/* Host_port: lists of "host:port", separated by commas; an IPv6 address stands in
 * brackets. What the platform's owner writes into a setting. */
#ifndef FD_CORE_HOST_PORT_H
#define FD_CORE_HOST_PORT_H

#include <stdbool.h>

#define HOST_SIZE 256 /* a DNS name and its NUL */

struct host_port {
    char host[HOST_SIZE]; /* lower case, without brackets */
    int port;
};

/* Takes the next entry of the list and moves *at behind it. False at the end, and
 * where an entry is none: *at then points at it (at the NUL: the list was whole).
 * `port` is taken where an entry names none; 0 = each has to. */
bool host_port_next(const char **at, int port, struct host_port *entry);

/* Is it a list, every entry of which can be used? numeric: IP addresses only. */
bool host_port_list_valid(const char *list, int port, bool numeric);

#endif
