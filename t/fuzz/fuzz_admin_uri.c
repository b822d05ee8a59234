/* The admin API's request target and cursor: a path, a query, both a stranger's. */
#include "admin/page.h"
#include "admin/query.h"
#include "admin/router.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct admin_route routes[] = {
    {"GET", "articles", ADMIN_STAFF, 0, NULL},
    {"GET", "articles/:slug", ADMIN_STAFF, 0, NULL},
    {"POST", "articles/import", ADMIN_ADMIN, ADMIN_RAW, NULL},
    {"PUT", "a/:b/c/:d/:e", ADMIN_OWNER, 0, NULL},
};
static const struct admin_resource resource = {routes, sizeof(routes) / sizeof(routes[0])};
static const struct admin_resource *const resources[] = {&resource};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct config config = {.admin_token = "0123456789abcdef0123456789abcdef"};
    struct arena a;
    struct router_match match;
    struct query *query;
    struct page page;
    struct admin_reply reply = {0};

    if (size > 8192)
        return 0;
    arena_init(&a);
    buf_init(&reply.body, 65536);
    char *path = arena_strndup(&a, (const char *)data, size);
    char *text = strchr(path, '?');
    if (text != NULL)
        *text++ = '\0';
    if (router_find(&a, resources, 1, "GET", path, &match) == ROUTER_FOUND &&
        match.route->handle == NULL && strncmp(path, ROUTER_PREFIX, strlen(ROUTER_PREFIX)) != 0)
        abort();
    if (query_parse(&a, text, &query)) {
        const struct admin_request request = {.org = "5eed0000-0000-4000-8000-000000000001",
                                              .arena = &a,
                                              .config = &config,
                                              .query = query};
        /* only what was sealed opens */
        if (page_read(&request, &reply, "things", 2, &page) && page.after[0] != NULL &&
            strlen(page.after[0]) + strlen(page.after[1]) > size)
            abort();
    }
    buf_free(&reply.body);
    arena_free(&a);
    return 0;
}
