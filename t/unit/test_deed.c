/* ADM-8: what each changing route of the admin API does has a verb and a kind of thing, which are
 * among those that the dashboard has words for. */
#include "admin/resources.h"
#include "tenant/deed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static bool is_among(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(*words, word) != 0)
        words++;
    return *words != NULL;
}

static void test_every_route_is_a_deed(void **state)
{
    size_t routes = 0;

    (void)state;
    for (size_t i = 0; i < admin_resource_count; i++) {
        for (size_t k = 0; k < admin_resources[i]->count; k++) {
            const struct admin_route *route = &admin_resources[i]->routes[k];
            struct deed deed = deed_of_route(&arena, route->method, route->pattern);
            if (strcmp(route->method, "GET") == 0 ||
                (route->flags & (ADMIN_OPEN | ADMIN_ASKS)) != 0)
                continue; /* nothing is changed, or it records itself */
            if (!is_among(deed.kind, deed_kinds) || !is_among(deed.verb, deed_verbs))
                fail_msg("%s %s: %s %s", route->method, route->pattern, deed.verb, deed.kind);
            routes++;
        }
    }
    assert_true(routes > 50);
}

static void test_words(void **state)
{
    static const struct {
        const char *method, *pattern, *verb, *kind, *thing;
    } cases[] = {
        {"PATCH", "tools/:name", "change", "tools", "tools/x"},
        {"POST", "tools/:name/test", "test", "tools", "tools/x"},
        {"DELETE", "keys/:id", "remove", "keys", "keys/x"},
        {"PUT", "budget", "change", "budget", "budget"},
        {"PUT", "ai-settings/provider", "change", "provider", "provider"},
        {"POST", "ai-settings/provider/test", "test", "provider", "provider"},
        {"PUT", "knowledge/articles/:slug", "change", "articles", "articles/x"},
        {"PUT", "teams/:id/members/:user", "change", "members", "teams/x"},
        {"POST", "visitors/delete", "delete", "visitors", "visitors"},
        {"GET", "conversations/export", "export", "conversations", "conversations"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *pattern = cases[i].pattern;
        struct deed deed = deed_of_route(&arena, cases[i].method, pattern);
        assert_string_equal(deed.verb, cases[i].verb);
        assert_string_equal(deed.kind, cases[i].kind);
        assert_string_equal(deed_thing(&arena, pattern, strchr(pattern, ':') != NULL ? "x" : NULL),
                            cases[i].thing);
    }
}

static void test_what_was_made(void **state)
{
    (void)state;
    assert_string_equal(deed_thing_made(&arena, "keys", "{\"id\":\"7\",\"name\":\"a\"}"), "keys/7");
    assert_string_equal(deed_thing_made(&arena, "tools", "{\"id\":\"7\",\"name\":\"a\"}"),
                        "tools/a");
    assert_string_equal(deed_thing_made(&arena, "endpoints", "{\"id\":\"7\",\"name\":\"a\"}"),
                        "endpoints/a");
    assert_string_equal(deed_thing_made(&arena, "articles", "{\"slug\":\"a\"}"), "articles/a");
    assert_string_equal(deed_thing_made(&arena, "keys", "{}"), "keys");
    assert_string_equal(deed_thing_made(&arena, "keys", "not JSON"), "keys");
    assert_string_equal(deed_thing_made(&arena, "keys", NULL), "keys");
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_route_is_a_deed),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_what_was_made),
    };

    arena_init(&arena);
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
