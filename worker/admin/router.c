#include "admin/router.h"

#include <stdio.h>
#include <string.h>

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

char *router_decode(struct arena *a, const char *s, size_t len, bool plus)
{
    char *out = arena_alloc(a, len + 1);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        if (c == '%') {
            int high = i + 2 < len ? hex_digit(s[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(s[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == '\0')
            return NULL;
        out[n++] = c;
    }
    out[n] = '\0';
    return fd_utf8_valid(out, n) ? out : NULL;
}

/* The segments of a path or a pattern: their number is the same where they fit. */
struct cursor {
    const char *at;
    size_t len;
    bool more;
};

static void next_segment(struct cursor *c, const char *from)
{
    c->at = from;
    c->len = strcspn(from, "/");
    c->more = from[c->len] == '/';
}

/* The number of names in the pattern, or -1: it does not fit. */
static int fits(struct arena *a, const char *pattern, const char *path,
                const char *ids[ADMIN_IDS_MAX])
{
    struct cursor want, have;
    int names = 0;

    for (next_segment(&want, pattern), next_segment(&have, path);;
         next_segment(&want, want.at + want.len + 1), next_segment(&have, have.at + have.len + 1)) {
        if (want.more != have.more || have.len == 0)
            return -1;
        if (want.at[0] == ':') {
            if (names == ADMIN_IDS_MAX)
                return -1;
            ids[names] = router_decode(a, have.at, have.len, false);
            if (ids[names++] == NULL)
                return -1;
        } else if (want.len != have.len || memcmp(want.at, have.at, have.len) != 0) {
            return -1;
        }
        if (!want.more)
            return names;
    }
}

static bool serves(const struct admin_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static void allow(struct router_match *match, const char *method)
{
    bool get = strcmp(method, "GET") == 0;
    size_t len = strlen(match->allow);

    if (strstr(match->allow, method) == NULL)
        snprintf(match->allow + len, sizeof(match->allow) - len, "%s%s%s", len > 0 ? ", " : "",
                 method, get ? ", HEAD" : "");
}

enum router_verdict router_find(struct arena *a, const struct admin_resource *const *resources,
                                size_t count, const char *method, const char *path,
                                struct router_match *match)
{
    int best = ADMIN_IDS_MAX + 1;

    *match = (struct router_match){0};
    if (strncmp(path, ROUTER_PREFIX, strlen(ROUTER_PREFIX)) != 0)
        return ROUTER_NO_PATH;
    path += strlen(ROUTER_PREFIX);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < resources[i]->count; k++) {
            const struct admin_route *route = &resources[i]->routes[k];
            const char *ids[ADMIN_IDS_MAX] = {0};
            int names = fits(a, route->pattern, path, ids);
            if (names < 0 || names > best)
                continue;
            if (names < best)
                *match = (struct router_match){0};
            best = names;
            allow(match, route->method);
            if (match->route == NULL && serves(route, method)) {
                match->route = route;
                memcpy(match->ids, ids, sizeof(ids));
            }
        }
    }
    return match->route != NULL      ? ROUTER_FOUND
           : match->allow[0] != '\0' ? ROUTER_NO_METHOD
                                     : ROUTER_NO_PATH;
}
