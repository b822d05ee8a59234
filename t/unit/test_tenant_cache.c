/* tenant/org_cache.h, of tenants: what is forgotten does not come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/clock.h"
#include "tenant/tenant.h"

#define A "aaaaaaaa-0000-4000-8000-000000000001"
#define B "bbbbbbbb-0000-4000-8000-000000000001"

static struct tenant *make(const char *org, int64_t loaded_ms)
{
    struct tenant *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    arena_init(&t->arena);
    t->refs = 1;
    t->loaded_ms = loaded_ms;
    snprintf(t->org, sizeof(t->org), "%s", org);
    t->name = arena_strdup(&t->arena, org);
    return t;
}

static void put(struct org_cache *cache, const char *org, int64_t loaded_ms)
{
    struct tenant *t = make(org, loaded_ms);
    tenant_cache_put(cache, t);
    tenant_unref(t);
}

static bool has(struct org_cache *cache, const char *org)
{
    struct tenant *t = tenant_cache_get(cache, org);
    if (t != NULL)
        assert_string_equal(t->name, org);
    tenant_unref(t);
    return t != NULL;
}

static void test_put_and_get(void **state)
{
    struct org_cache *cache = tenant_cache_new();

    (void)state;
    assert_false(has(cache, A));
    put(cache, A, clock_mono_ms());
    assert_true(has(cache, A));
    assert_false(has(cache, B));
    put(cache, A, clock_mono_ms()); /* replaces */
    assert_true(has(cache, A));
    struct tenant *held = tenant_cache_get(cache, A);
    org_cache_free(cache);
    assert_string_equal(held->name, A); /* a running job keeps its own */
    tenant_unref(held);
}

static void test_age(void **state)
{
    struct org_cache *cache = tenant_cache_new();

    (void)state;
    put(cache, A, clock_mono_ms() - 59000);
    put(cache, B, clock_mono_ms() - 60001);
    assert_true(has(cache, A));
    assert_false(has(cache, B));
    org_cache_free(cache);
}

/* A load that was asked for before the settings changed comes in afterwards. */
static void test_late_load(void **state)
{
    struct org_cache *cache = tenant_cache_new();
    int64_t before = clock_mono_ms();

    (void)state;
    put(cache, A, before);
    org_cache_forget(cache, A);
    assert_false(has(cache, A));
    put(cache, A, before);
    assert_false(has(cache, A));
    put(cache, B, before);
    assert_true(has(cache, B));
    usleep(3000);
    put(cache, A, clock_mono_ms());
    assert_true(has(cache, A));

    before = clock_mono_ms();
    org_cache_forget(cache, NULL);
    assert_false(has(cache, A) || has(cache, B));
    put(cache, B, before);
    assert_false(has(cache, B));
    org_cache_free(cache);
}

/* Two loads are under way; the earlier one comes in last. */
static void test_overtaken_load(void **state)
{
    struct org_cache *cache = tenant_cache_new();
    int64_t now = clock_mono_ms();

    (void)state;
    put(cache, A, now);
    put(cache, A, now - 1000);
    struct tenant *held = tenant_cache_get(cache, A);
    assert_int_equal(held->loaded_ms, now);
    tenant_unref(held);
    org_cache_free(cache);
}

static void test_bounded(void **state)
{
    struct org_cache *cache = tenant_cache_new();
    char org[37];
    int kept = 0;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        snprintf(org, sizeof(org), "%08x-0000-4000-8000-000000000000", i);
        put(cache, org, clock_mono_ms());
    }
    assert_true(has(cache, org));
    for (int i = 0; i < 10000; i++) {
        snprintf(org, sizeof(org), "%08x-0000-4000-8000-000000000000", i);
        kept += has(cache, org) ? 1 : 0;
    }
    assert_int_equal(kept, 4096);
    org_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_and_get), cmocka_unit_test(test_age),
        cmocka_unit_test(test_late_load),   cmocka_unit_test(test_overtaken_load),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
