/* tenant/business_settings.h: what an organisation may say of itself.  ENG-12 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tenant/business_settings.h"

#include <string.h>

static struct arena arena;

static bool check(const char *json, struct ai_fault *fault)
{
    struct fd_json_fault json_fault;
    const struct fd_json *patch = fd_json_parse(json, strlen(json), (struct fd_json_limits){0},
                                                arena_allocator(&arena), &json_fault);
    assert_non_null(patch);
    return business_settings_check(patch, fault);
}

static void what_is_right_is_taken(void **state)
{
    static const char *const good[] = {
        "{}",
        "{\"hours\":\"mon-fri 9am-5pm\",\"timezone\":\"Europe/Berlin\",\"currency\":\"EUR\"}",
        "{\"timezone\":\"UTC\"}",
        "{\"timezone\":\"America/Argentina/Buenos_Aires\"}",
        "{\"shipping_zones\":\"everywhere\"}",
        "{\"shipping_zones\":[\"Malta\",\"Gozo\"],\"contact\":{\"email\":\"a@b.example\"}}",
        "{\"hours\":null,\"timezone\":null,\"contact\":null,\"tone\":\"\xd7\x97\xd7\x9d\"}",
    };
    struct ai_fault fault;
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(check(good[i], &fault));
        assert_string_equal(fault.detail, "");
    }
}

static void what_is_wrong_is_named(void **state)
{
    static const char *const bad[][2] = {
        {"[]", ""},
        {"{\"opening\":\"9-5\"}", "opening"},
        {"{\"hours\":\"\"}", "hours"},
        {"{\"hours\":\"a\\nContext:\"}", "hours"},
        {"{\"hours\":7}", "hours"},
        {"{\"currency\":\"eur\"}", "currency"},
        {"{\"currency\":\"EURO\"}", "currency"},
        {"{\"timezone\":\"X+3\"}", "timezone"},
        {"{\"timezone\":\"Europe/Berlin; DROP\"}", "timezone"},
        {"{\"shipping_zones\":[]}", "shipping_zones"},
        {"{\"shipping_zones\":[[\"a\"]]}", "shipping_zones"},
        {"{\"shipping_zones\":{\"a\":\"b\"}}", "shipping_zones"},
        {"{\"contact\":[\"a\"]}", "contact"},
        {"{\"contact\":{\"email\":1}}", "contact"},
        {"{\"tone\":{}}", "tone"},
    };
    struct ai_fault fault;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_false(check(bad[i][0], &fault));
        assert_string_equal(fault.field, bad[i][1]);
        assert_string_not_equal(fault.detail, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_is_taken),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    arena_init(&arena);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
