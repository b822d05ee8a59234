#include "net/target.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#define ROUNDS_MAX 4 /* until the host is written as it will be used */

static bool fault(char error[256], const char *what)
{
    snprintf(error, 256, "%s", what);
    return false;
}

/* What curl_url() would forgive. */
static bool check_text(const char *url, char error[256])
{
    size_t scheme = strncasecmp(url, "https://", 8) == 0  ? 8
                    : strncasecmp(url, "http://", 7) == 0 ? 7
                                                          : 0;

    if (scheme == 0)
        return fault(error, "the URL must begin with https:// or http://");
    if (strlen(url) > TARGET_URL_MAX)
        return fault(error, "the URL is longer than 8192 bytes");
    if (url[scheme] == '\0' || strchr("/?\\", url[scheme]) != NULL)
        return fault(error, "the URL has no host");
    if (strchr(url, '#') != NULL)
        return fault(error, "the URL has a fragment (#): leave it out");
    for (const char *s = url; *s != '\0'; s++) {
        if ((unsigned char)*s <= 0x20 || *s == 0x7f || *s == '\\')
            return fault(error, "the URL has a space, a backslash or a control character");
    }
    return true;
}

/* The host as curl would use it, into *out (curl's memory), in lower case and without
 * the dot that a name may end with. Not in other alphabets: what xn-- stands for them
 * depends on the process's locale. */
static bool plain_host(CURLU *parsed, char **out, char error[256])
{
    char *host = NULL, *zone = NULL;
    size_t len;

    if (curl_url_get(parsed, CURLUPART_ZONEID, &zone, 0) == CURLUE_OK) {
        curl_free(zone);
        return fault(error, "the URL names a network interface");
    }
    if (curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        return fault(error, "the URL has no host");
    *out = host;
    len = strlen(host);
    if (len > 1 && host[len - 1] == '.')
        host[len - 1] = '\0';
    for (char *s = host; *s != '\0'; s++) {
        if ((unsigned char)*s >= 0x80)
            return fault(error, "the host has letters of another alphabet: write its xn-- form");
        *s = (char)tolower((unsigned char)*s);
    }
    return true;
}

/* One reading. *settled: the host is written the way it is used. */
static bool read_once(char **url, char **host, bool *settled, char error[256])
{
    CURLU *parsed = curl_url();
    CURLUcode code;
    char *plain = NULL, *written = NULL;
    bool ok = false;

    code = parsed != NULL ? curl_url_set(parsed, CURLUPART_URL, *url, CURLU_DISALLOW_USER)
                          : CURLUE_OUT_OF_MEMORY;
    if (code == CURLUE_USER_NOT_ALLOWED) {
        fault(error, "the URL has a user name: credentials do not belong there");
    } else if (code != CURLUE_OK) {
        snprintf(error, 256, "the URL cannot be used: %s", curl_url_strerror(code));
    } else if (plain_host(parsed, &plain, error) &&
               curl_url_get(parsed, CURLUPART_HOST, &written, 0) == CURLUE_OK) {
        *settled = strcmp(plain, written) == 0;
        curl_free(*url);
        *url = NULL;
        ok = curl_url_set(parsed, CURLUPART_HOST, plain, 0) == CURLUE_OK &&
             curl_url_get(parsed, CURLUPART_URL, url, 0) == CURLUE_OK;
        if (!ok)
            fault(error, "the host of the URL cannot be used");
    }
    curl_free(written);
    curl_free(*host);
    *host = plain;
    curl_url_cleanup(parsed);
    return ok;
}

/* "1.2.3.4.5" and "256.0.0.1": a resolver could read them as some address. */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *label = dot != NULL ? dot + 1 : host;

    return label[strspn(label, "0123456789")] == '\0' ||
           (label[0] == '0' && label[1] == 'x' &&
            label[2 + strspn(label + 2, "0123456789abcdef")] == '\0');
}

static bool is_name(const char *host)
{
    size_t label = 0;

    if (strlen(host) > 253 || ends_in_number(host))
        return false;
    for (const char *s = host; *s != '\0'; s++) {
        if (*s == '.' && label == 0)
            return false;
        label = *s == '.' ? 0 : label + 1;
        if (label > 63 || strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.", *s) == NULL)
            return false;
    }
    return label > 0;
}

/* "[::1]", "127.0.0.1" or "n8n.example" into target->host. */
static bool take_host(struct target *target, const char *host, char error[256])
{
    unsigned char binary[sizeof(struct in6_addr)];
    size_t len = strlen(host);
    bool bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';

    if (bracketed) {
        host++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof(target->host))
        return fault(error, "the host of the URL is empty or too long");
    memcpy(target->host, host, len);
    target->host[len] = '\0';
    target->is_address = inet_pton(bracketed ? AF_INET6 : AF_INET, target->host, binary) == 1;
    if (!target->is_address && (bracketed || !is_name(target->host)))
        return fault(error, "the host of the URL is neither a name nor an address");
    return true;
}

static bool take_port(struct target *target, char error[256])
{
    CURLU *parsed = curl_url();
    char *port = NULL;
    bool ok = parsed != NULL && curl_url_set(parsed, CURLUPART_URL, target->url, 0) == CURLUE_OK &&
              curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;

    target->port = ok ? atoi(port) : 0;
    if (target->port < 1 || target->port > 65535)
        ok = fault(error, "the port of the URL cannot be used");
    curl_free(port);
    curl_url_cleanup(parsed);
    return ok;
}

bool target_parse(struct target *target, const char *url, char error[256])
{
    char *text = NULL, *host = NULL;
    bool settled = false, ok;

    *target = (struct target){0};
    if (!check_text(url, error))
        return false;
    text = strdup(url);
    ok = text != NULL;
    for (int round = 0; ok && !settled && round < ROUNDS_MAX; round++)
        ok = read_once(&text, &host, &settled, error);
    if (ok && !settled)
        ok = fault(error, "the host of the URL cannot be read in one way");
    target->url = text;
    ok = ok && take_host(target, host, error) && take_port(target, error);
    curl_free(host);
    if (!ok)
        target_free(target);
    return ok;
}

void target_free(struct target *target)
{
    curl_free(target->url); /* curl's memory is malloc's, strdup()'s too */
    target->url = NULL;
}

static bool is_https(const char *url)
{
    return strncasecmp(url, "https:", 6) == 0;
}

bool target_same_server(const char *url, const char *other)
{
    struct target a = {0}, b = {0};
    char error[256];

    bool same = url != NULL && other != NULL && target_parse(&a, url, error) &&
                target_parse(&b, other, error) && is_https(url) == is_https(other) &&
                a.port == b.port && strcmp(a.host, b.host) == 0;
    target_free(&a);
    target_free(&b);
    return same;
}
