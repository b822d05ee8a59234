#include "tenant/keys.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGIN_MAX 300
#define HOST_MAX   253
#define LABEL_MAX  63

static bool fault(char error[128], const char *text)
{
    snprintf(error, 128, "%s", text);
    return false;
}

/* One label of a host as a browser writes it: lower case, IDN in its xn-- form. */
static size_t label_length(const char *s, const char *end)
{
    size_t len = 0;
    while (s + len < end && (islower((unsigned char)s[len]) || isdigit((unsigned char)s[len]) ||
                             s[len] == '-' || s[len] == '_')) {
        len++;
    }
    bool ok = len > 0 && len <= LABEL_MAX && s[0] != '-' && s[len - 1] != '-';
    return ok ? len : 0;
}

/* The labels of a host; 0 where it is none. */
static size_t count_labels(const char *host, const char *end)
{
    size_t labels = 0;
    for (;;) {
        size_t len = label_length(host, end);
        if (len == 0) {
            return 0;
        }
        labels++;
        host += len;
        if (host == end) {
            return labels;
        }
        if (*host++ != '.') {
            return 0;
        }
    }
}

static bool is_ipv6_literal(const char *host, const char *end)
{
    if (end - host < 4 || *host != '[' || end[-1] != ']') {
        return false;
    }
    for (const char *c = host + 1; c < end - 1; c++) {
        if (!isdigit((unsigned char)*c) && !(*c >= 'a' && *c <= 'f') && *c != ':' && *c != '.') {
            return false;
        }
    }
    return true;
}

static bool is_ipv4(const char *host, const char *end)
{
    return strspn(host, "0123456789.") >= (size_t)(end - host);
}

static bool port_valid(const char *port, bool https)
{
    size_t len = strlen(port);
    if (len == 0 || len > 5 || strspn(port, "0123456789") != len || port[0] == '0') {
        return false;
    }
    long number = strtol(port, NULL, 10);
    return number <= 65535 && number != (https ? 443 : 80);
}

bool key_origin_valid(const char *origin, char error[128])
{
    if (strlen(origin) > ORIGIN_MAX) {
        return fault(error, "an origin is at most 300 characters");
    }
    bool https = strncmp(origin, "https://", 8) == 0;
    if (!https && strncmp(origin, "http://", 7) != 0) {
        return fault(error, "an origin starts with https:// or http://, in lower case");
    }
    const char *host = origin + (https ? 8 : 7);
    bool wildcard = strncmp(host, "*.", 2) == 0;
    host += wildcard ? 2 : 0;

    const char *end = host + (host[0] == '[' ? strcspn(host, "]/") : strcspn(host, ":/"));
    if (*end == ']') {
        end++;
    }
    if (strpbrk(host, "/?#@") != NULL) {
        return fault(error, "an origin is scheme, host and port only: no path, no user name");
    }
    if (*end == ':' && !port_valid(end + 1, https)) {
        return fault(error, "the port is 1 to 65535 and is left out where it is the scheme's own");
    }
    if (*end != ':' && *end != '\0') {
        return fault(error, "there is something after the host that is no port");
    }
    if (!wildcard && is_ipv6_literal(host, end)) {
        return true;
    }
    size_t labels = end - host <= HOST_MAX ? count_labels(host, end) : 0;
    if (labels == 0) {
        return fault(error, "the host is lower-case labels of letters, digits and hyphens (an "
                            "international name in its xn-- form)");
    }
    if (wildcard && (labels < 2 || is_ipv4(host, end))) {
        return fault(error, "*. stands before a domain with a dot, as in https://*.shop.example");
    }
    return true;
}
