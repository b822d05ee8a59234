#include "net/guard.h"
#include "core/host_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define V4(a, b, c, d)                                                                             \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* IANA's registry of special-purpose IPv4 addresses, and what clouds put their
 * credentials on. */
static const struct {
    uint32_t prefix;
    unsigned bits;
    const char *reason;
} closed_v4[] = {
    {V4(0, 0, 0, 0), 8, "this network"},
    {V4(10, 0, 0, 0), 8, "private network"},
    {V4(100, 64, 0, 0), 10, "carrier-grade NAT"},
    {V4(127, 0, 0, 0), 8, "loopback"},
    {V4(168, 63, 129, 16), 32, "cloud metadata"},
    {V4(169, 254, 0, 0), 16, "link-local, cloud metadata"},
    {V4(172, 16, 0, 0), 12, "private network"},
    {V4(192, 0, 0, 0), 24, "protocol assignments"},
    {V4(192, 0, 2, 0), 24, "documentation"},
    {V4(192, 88, 99, 0), 24, "6to4 relay"},
    {V4(192, 168, 0, 0), 16, "private network"},
    {V4(198, 18, 0, 0), 15, "benchmarking"},
    {V4(198, 51, 100, 0), 24, "documentation"},
    {V4(203, 0, 113, 0), 24, "documentation"},
    {V4(224, 0, 0, 0), 4, "multicast"},
    {V4(240, 0, 0, 0), 4, "reserved"},
};

/* What there is besides 2000::/3, by the names that people know, and what is special
 * within it. The first that fits counts. */
static const struct {
    unsigned char prefix[16];
    unsigned bits;
    const char *reason;
} closed_v6[] = {
    {{[15] = 1}, 128, "loopback"},
    {{0}, 128, "unspecified"},
    {{0}, 96, "IPv4-compatible"},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, "local NAT64"},
    {{0xfc}, 7, "private network"},
    {{0xfe, 0x80}, 10, "link-local"},
    {{0xfe, 0xc0}, 10, "site-local"},
    {{0xff}, 8, "multicast"},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "documentation"},
    {{0x3f, 0xff}, 20, "documentation"},
    {{0x20, 0x01}, 23, "protocol assignments"},
};

static const char *reason_v4(uint32_t address)
{
    for (size_t i = 0; i < COUNT(closed_v4); i++) {
        if ((address ^ closed_v4[i].prefix) >> (32 - closed_v4[i].bits) == 0)
            return closed_v4[i].reason;
    }
    return NULL;
}

static bool has_prefix(const unsigned char address[16], const unsigned char *prefix, unsigned bits)
{
    unsigned bytes = bits / 8;
    unsigned rest = bits % 8;

    return memcmp(address, prefix, bytes) == 0 &&
           (rest == 0 || (address[bytes] ^ prefix[bytes]) >> (8 - rest) == 0);
}

static uint32_t v4_at(const unsigned char *bytes)
{
    return V4(bytes[0], bytes[1], bytes[2], bytes[3]);
}

static const char *reason_v6(const unsigned char address[16])
{
    static const unsigned char mapped[16] = {[10] = 0xff, 0xff};
    static const unsigned char nat64[16] = {0x00, 0x64, 0xff, 0x9b};
    static const unsigned char teredo[16] = {0x20, 0x01};
    static const unsigned char six_to_four[16] = {0x20, 0x02};
    const char *reason;

    if (has_prefix(address, mapped, 96) || has_prefix(address, nat64, 96))
        return reason_v4(v4_at(address + 12));
    if (has_prefix(address, six_to_four, 16))
        return reason_v4(v4_at(address + 2));
    if (has_prefix(address, teredo, 32)) { /* its server, and its client, inverted */
        reason = reason_v4(v4_at(address + 4));
        return reason != NULL ? reason : reason_v4(~v4_at(address + 12));
    }
    for (size_t i = 0; i < COUNT(closed_v6); i++) {
        if (has_prefix(address, closed_v6[i].prefix, closed_v6[i].bits))
            return closed_v6[i].reason;
    }
    return address[0] >> 5 == 1 ? NULL : "reserved";
}

const char *guard_reason(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, address, sizeof(in));
        return reason_v4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, address, sizeof(in6));
        return reason_v6(in6.sin6_addr.s6_addr);
    }
    return "not an Internet address";
}

bool guard_exempts_name(const char *allow, const char *host, int port)
{
    struct host_port entry;

    while (allow != NULL && host_port_next(&allow, 0, &entry)) {
        if (entry.port == port && strcmp(entry.host, host) == 0)
            return true;
    }
    return false;
}

static bool is_address(const char *host, int port, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct in_addr v4;
        struct sockaddr_in in;

        memcpy(&in, address, sizeof(in));
        return inet_pton(AF_INET, host, &v4) == 1 && v4.s_addr == in.sin_addr.s_addr &&
               htons((uint16_t)port) == in.sin_port;
    }
    if (address->sa_family == AF_INET6) {
        struct in6_addr v6;
        struct sockaddr_in6 in6;

        memcpy(&in6, address, sizeof(in6));
        return inet_pton(AF_INET6, host, &v6) == 1 &&
               memcmp(&v6, &in6.sin6_addr, sizeof(v6)) == 0 &&
               htons((uint16_t)port) == in6.sin6_port;
    }
    return false;
}

bool guard_exempts_address(const char *allow, const struct sockaddr *address)
{
    struct host_port entry;

    while (allow != NULL && host_port_next(&allow, 0, &entry)) {
        if (is_address(entry.host, entry.port, address))
            return true;
    }
    return false;
}
