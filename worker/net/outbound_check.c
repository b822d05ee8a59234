#include "net/outbound_check.h"
#include "net/guard.h"
#include "core/buf.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define HEADERS_MAX     64
#define HEADER_SIZE_MAX 8192
#define PIN_MAX         8192
#define TOKEN_CHARACTERS                                                                           \
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool outbound_check_method(const char *method, char error[256])
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

    for (size_t i = 0; i < COUNT(methods); i++) {
        if (strcmp(method, methods[i]) == 0)
            return true;
    }
    snprintf(error, 256, "the method must be one of GET, POST, PUT, PATCH, DELETE");
    return false;
}

static bool is_ours(const char *name, size_t len)
{
    static const char *const ours[] = {"Host",       "Content-Length", "Transfer-Encoding",
                                       "Connection", "Expect",         "Upgrade",
                                       "TE",         "Trailer",        "Proxy-Authorization"};

    for (size_t i = 0; i < COUNT(ours); i++) {
        if (strlen(ours[i]) == len && strncasecmp(ours[i], name, len) == 0)
            return true;
    }
    return false;
}

static bool check_header(const char *header, char error[256])
{
    size_t name = strspn(header, TOKEN_CHARACTERS);
    int shown = (int)(name < 40 ? name : 40);

    if (name == 0 || header[name] != ':') {
        snprintf(error, 256, "a header must be \"Name: value\"");
        return false;
    }
    if (is_ours(header, name)) {
        snprintf(error, 256, "the header %.*s cannot be set", shown, header);
        return false;
    }
    if (strlen(header) > HEADER_SIZE_MAX) {
        snprintf(error, 256, "the header %.*s is longer than 8192 bytes", shown, header);
        return false;
    }
    for (const char *s = header + name + 1; *s != '\0'; s++) {
        if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f) {
            snprintf(error, 256, "the header %.*s has a control character", shown, header);
            return false;
        }
    }
    return true;
}

bool outbound_check_headers(const char *const *headers, char error[256])
{
    size_t count = 0;

    for (; headers != NULL && headers[count] != NULL; count++) {
        if (count == HEADERS_MAX) {
            snprintf(error, 256, "a request may have %d headers", HEADERS_MAX);
            return false;
        }
        if (!check_header(headers[count], error))
            return false;
    }
    return true;
}

static void print_address(const struct sockaddr *address, char text[INET6_ADDRSTRLEN])
{
    union resolved any = {.any = {.sa_family = AF_UNSPEC}};

    snprintf(text, INET6_ADDRSTRLEN, "?");
    if (address->sa_family == AF_INET) {
        memcpy(&any.in, address, sizeof(any.in));
        inet_ntop(AF_INET, &any.in.sin_addr, text, INET6_ADDRSTRLEN);
    } else if (address->sa_family == AF_INET6) {
        memcpy(&any.in6, address, sizeof(any.in6));
        inet_ntop(AF_INET6, &any.in6.sin6_addr, text, INET6_ADDRSTRLEN);
    }
}

bool outbound_judge(const char *allow, bool exempt, const char *host,
                    const struct sockaddr *address, char error[256])
{
    const char *reason = exempt ? NULL : guard_reason(address);
    char text[INET6_ADDRSTRLEN];

    if (reason == NULL || guard_exempts_address(allow, address))
        return true;
    print_address(address, text);
    snprintf(error, 256,
             "%.100s is at %s (%s): tenants reach public addresses only, and what the platform's "
             "owner lists",
             host, text, reason);
    return false;
}

bool outbound_literal(const char *host, int port, union resolved *address)
{
    *address = (union resolved){.in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};
    if (inet_pton(AF_INET, host, &address->in.sin_addr) == 1)
        return true;
    address->in6 =
        (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    return inet_pton(AF_INET6, host, &address->in6.sin6_addr) == 1;
}

const char *outbound_pin(struct arena *a, const struct target *target,
                         const union resolved *addresses, size_t count)
{
    const char *pin;
    struct buf out;

    buf_init(&out, PIN_MAX);
    buf_printf(&out, "+%s:%d:", target->host, target->port);
    for (size_t i = 0; i < count; i++) {
        char text[INET6_ADDRSTRLEN] = "";
        bool v6 = addresses[i].any.sa_family == AF_INET6;

        inet_ntop(v6 ? AF_INET6 : AF_INET,
                  v6 ? (const void *)&addresses[i].in6.sin6_addr
                     : (const void *)&addresses[i].in.sin_addr,
                  text, sizeof(text));
        buf_printf(&out, v6 ? "%s[%s]" : "%s%s", i > 0 ? "," : "", text);
    }
    pin = arena_strdup(a, out.data);
    buf_free(&out);
    return pin;
}
