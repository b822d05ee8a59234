#include "core/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

_Static_assert(sizeof(((struct address *)0)->host) == sizeof(((struct sockaddr_un *)0)->sun_path),
               "a path that fits here fits the kernel");

static bool copy_host(struct address *address, const char *s, size_t len)
{
    if (len == 0 || len >= sizeof(address->host))
        return false;
    memcpy(address->host, s, len);
    address->host[len] = '\0';
    return true;
}

static bool parse_port(const char *s, int *port)
{
    size_t digits = strspn(s, "0123456789");
    long value;

    if (digits == 0 || digits > 5 || s[digits] != '\0')
        return false;
    value = strtol(s, NULL, 10);
    *port = (int)value;
    return value >= 1 && value <= 65535;
}

bool address_parse(const char *text, struct address *address)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    unsigned char binary[sizeof(struct in6_addr)];
    int family = AF_INET;
    size_t len;

    *address = (struct address){0};
    if (strncmp(text, "unix:", 5) == 0) {
        address->is_unix = true;
        return text[5] == '/' && copy_host(address, text + 5, strlen(text + 5));
    }
    if (colon == NULL || !parse_port(colon + 1, &address->port))
        return false;
    len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        family = AF_INET6;
        host++;
        len -= 2;
    }
    return copy_host(address, host, len) && inet_pton(family, address->host, binary) == 1;
}
