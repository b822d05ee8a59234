#include "core/host_port.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS    "abcdefghijklmnopqrstuvwxyz0123456789._-"
#define ADDRESS_CHARACTERS "abcdef0123456789:."

static bool take_host(const char *s, size_t len, const char *characters, char host[HOST_SIZE])
{
    if (len == 0 || len >= HOST_SIZE)
        return false;
    for (size_t i = 0; i < len; i++)
        host[i] = (char)tolower((unsigned char)s[i]);
    host[len] = '\0';
    return strspn(host, characters) == len;
}

/* What stands behind the host: nothing, or a colon and the port. */
static bool take_port(const char *s, size_t len, int otherwise, int *port)
{
    long value;

    *port = otherwise;
    if (len == 0)
        return otherwise > 0;
    if (s[0] != ':' || len < 2 || len > 6 || strspn(s + 1, "0123456789") < len - 1)
        return false;
    value = strtol(s + 1, NULL, 10);
    *port = (int)value;
    return value >= 1 && value <= 65535;
}

static bool take_entry(const char *s, size_t len, int port, struct host_port *entry)
{
    const char *close = memchr(s, ']', len);
    size_t host_len;

    if (s[0] == '[')
        return close != NULL &&
               take_host(s + 1, (size_t)(close - s) - 1, ADDRESS_CHARACTERS, entry->host) &&
               take_port(close + 1, len - (size_t)(close + 1 - s), port, &entry->port);
    for (host_len = 0; host_len < len && s[host_len] != ':'; host_len++)
        ;
    return take_host(s, host_len, NAME_CHARACTERS, entry->host) &&
           take_port(s + host_len, len - host_len, port, &entry->port);
}

bool host_port_next(const char **at, int port, struct host_port *entry)
{
    const char *s = *at + strspn(*at, " \t");
    size_t len = strcspn(s, ",");
    size_t trimmed = len;

    *at = s;
    while (trimmed > 0 && (s[trimmed - 1] == ' ' || s[trimmed - 1] == '\t'))
        trimmed--;
    if (trimmed == 0 || !take_entry(s, trimmed, port, entry))
        return false;
    *at = s + len + (s[len] == ',' ? 1 : 0);
    return true;
}

bool host_port_list_valid(const char *list, int port, bool numeric)
{
    unsigned char binary[sizeof(struct in6_addr)];
    struct host_port entry;
    const char *at = list;

    while (host_port_next(&at, port, &entry)) {
        int family = strchr(entry.host, ':') != NULL ? AF_INET6 : AF_INET;

        if ((numeric || family == AF_INET6) && inet_pton(family, entry.host, binary) != 1)
            return false;
    }
    return *at == '\0';
}
