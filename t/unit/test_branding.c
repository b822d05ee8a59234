/* tenant/branding.h, tenant/contrast.h: what a widget may look like and say.  ADM-2 WID-2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tenant/branding.h"
#include "tenant/contrast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static bool check(const char *json, struct ai_fault *fault)
{
    struct fd_json_fault json_fault;
    const struct fd_json *patch = fd_json_parse(json, strlen(json), (struct fd_json_limits){0},
                                                arena_allocator(&arena), &json_fault);
    assert_non_null(patch);
    return branding_check(patch, fault);
}

static void what_is_right_is_taken(void **state)
{
    static const char *const good[] = {
        "{}",
        "{\"name\":\"Tea\",\"title\":\"Ask\",\"subtitle\":{\"en\":\"We "
        "know\",\"he\":\"\xd7\x97\"}}",
        "{\"primary_color\":\"#0f766e\"}",
        "{\"primary_color\":\"#FA0\"}",
        "{\"logo_url\":\"https://cdn.example:8443/a%20b.svg?v=1#x\"}",
        "{\"logo_url\":\"https://[2001:db8::1]/l.png\"}",
        "{\"theme\":\"auto\",\"position\":\"left\"}",
        "{\"greeting\":\"Hi\\nthere\"}",
        "{\"greeting\":{\"pt-BR\":\"Oi\",\"zh-Hant-TW\":\"x\"}}",
        "{\"suggested_questions\":[]}",
        "{\"suggested_questions\":{\"en\":[\"One?\"],\"he\":[]}}",
        "{\"languages\":[\"he\",\"en\",\"pt-BR\"]}",
        "{\"features\":{\"handoff\":true,\"rating\":false,\"identity\":null,\"prechat\":true}}",
        "{\"features\":{\"prechat\":{\"fields\":[{\"name\":\"email\",\"type\":\"email\","
        "\"required\":true,\"label\":{\"en\":\"Mail\"}},{\"name\":\"phone\"}]}}}",
        "{\"name\":null,\"title\":null,\"primary_color\":null,\"logo_url\":null,\"theme\":null,"
        "\"greeting\":null,\"suggested_questions\":null,\"languages\":null,\"features\":null}",
    };
    struct ai_fault fault;
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        if (!check(good[i], &fault))
            fail_msg("%s: %s %s", good[i], fault.field, fault.detail);
        assert_string_equal(fault.detail, "");
    }
}

static void what_is_wrong_is_named(void **state)
{
    static const char *const bad[][2] = {
        {"[]", ""},
        {"{\"colour\":\"#fff\"}", "colour"},
        {"{\"config\":{}}", "config"},
        {"{\"name\":{\"en\":\"Tea\"}}", "name"},
        {"{\"name\":\"\"}", "name"},
        {"{\"name\":\"  \"}", "name"},
        {"{\"title\":\"a\\nb\"}", "title"},
        {"{\"title\":\"a\\u007fb\"}", "title"},
        {"{\"title\":{}}", "title"},
        {"{\"title\":{\"EN\":\"x\"}}", "title"},
        {"{\"title\":{\"e\":\"x\"}}", "title"},
        {"{\"title\":{\"en-\":\"x\"}}", "title"},
        {"{\"title\":{\"en_US\":\"x\"}}", "title"},
        {"{\"title\":{\"en\":\"x\",\"he\":\"\"}}", "title.he"},
        {"{\"title\":{\"en\":{\"en\":\"x\"}}}", "title.en"},
        {"{\"primary_color\":\"#ffff\"}", "primary_color"},
        {"{\"primary_color\":\"0f766e\"}", "primary_color"},
        {"{\"primary_color\":\"#0f766g\"}", "primary_color"},
        {"{\"primary_color\":\"red;background:url(x)\"}", "primary_color"},
        {"{\"logo_url\":\"http://a.example/l.png\"}", "logo_url"},
        {"{\"logo_url\":\"HTTPS://a.example/l.png\"}", "logo_url"},
        {"{\"logo_url\":\"https:///l.png\"}", "logo_url"},
        {"{\"logo_url\":\"https://a@b.example/l.png\"}", "logo_url"},
        {"{\"logo_url\":\"https://a.example/\\\"onload=\"}", "logo_url"},
        {"{\"logo_url\":\"data:image/png;base64,AA\"}", "logo_url"},
        {"{\"theme\":\"Dark\"}", "theme"},
        {"{\"position\":true}", "position"},
        {"{\"greeting\":\"a\\tb\"}", "greeting"},
        {"{\"greeting\":[\"a\"]}", "greeting"},
        {"{\"suggested_questions\":\"a\"}", "suggested_questions"},
        {"{\"suggested_questions\":[\"a\",null]}", "suggested_questions[1]"},
        {"{\"suggested_questions\":{\"he\":[\"a\",\"\"]}}", "suggested_questions.he[1]"},
        {"{\"suggested_questions\":{\"he\":\"a\"}}", "suggested_questions.he"},
        {"{\"languages\":[]}", "languages"},
        {"{\"languages\":{\"en\":1}}", "languages"},
        {"{\"languages\":[\"en\",\"he\",\"en\"]}", "languages[2]"},
        {"{\"languages\":[\"english\"]}", "languages[0]"},
        {"{\"languages\":[7]}", "languages[0]"},
        {"{\"features\":true}", "features"},
        {"{\"features\":{\"handoff\":1}}", "features.handoff"},
        {"{\"features\":{\"voice\":true}}", "features.voice"},
        {"{\"features\":{\"prechat\":{}}}", "features.prechat"},
        {"{\"features\":{\"prechat\":{\"fields\":[{\"name\":\"name\"}],\"x\":1}}}",
         "features.prechat"},
        {"{\"features\":{\"prechat\":{\"fields\":[7]}}}", "features.prechat.fields[0]"},
        {"{\"features\":{\"prechat\":{\"fields\":[{\"type\":\"text\"}]}}}",
         "features.prechat.fields[0]"},
        {"{\"features\":{\"prechat\":{\"fields\":[{\"name\":\"name\"},{\"name\":\"age\"}]}}}",
         "features.prechat.fields[1].name"},
        {"{\"features\":{\"prechat\":{\"fields\":[{\"name\":\"name\",\"type\":\"password\"}]}}}",
         "features.prechat.fields[0].type"},
        {"{\"features\":{\"prechat\":{\"fields\":[{\"name\":\"name\",\"required\":\"yes\"}]}}}",
         "features.prechat.fields[0].required"},
        {"{\"features\":{\"prechat\":{\"fields\":[{\"name\":\"name\",\"label\":{\"he\":1}}]}}}",
         "features.prechat.fields[0].label.he"},
    };
    struct ai_fault fault;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (check(bad[i][0], &fault))
            fail_msg("%s was taken", bad[i][0]);
        assert_string_equal(fault.field, bad[i][1]);
        assert_true(strlen(fault.detail) > 5);
    }
}

/* {name: text of n letters} */
static const char *letters(const char *name, size_t n)
{
    char *json = arena_alloc(&arena, n + 64);
    int len = snprintf(json, 64, "{\"%s\":\"", name);

    memset(json + len, 'x', n);
    memcpy(json + (size_t)len + n, "\"}", 3);
    return json;
}

static void every_text_is_bounded(void **state)
{
    static const struct {
        const char *name;
        size_t max;
    } bounds[] = {{"name", 80}, {"title", 80}, {"subtitle", 120}, {"greeting", 600}};
    struct ai_fault fault;
    (void)state;
    for (size_t i = 0; i < sizeof(bounds) / sizeof(*bounds); i++) {
        assert_true(check(letters(bounds[i].name, bounds[i].max), &fault));
        assert_false(check(letters(bounds[i].name, bounds[i].max + 1), &fault));
    }
    assert_false(check("{\"suggested_questions\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\","
                       "\"9\"]}",
                       &fault));
    /* a place that is longer than its room is cut, and nothing else happens */
    char *json = arena_alloc(&arena, 8192);
    memset(json, 'k', 8192);
    memcpy(json, "{\"features\":{\"", 14);
    memcpy(json + 8000, "\":1}}", 6);
    assert_false(check(json, &fault));
    assert_true(strlen(fault.field) < sizeof(fault.field));
}

static void contrast_is_that_of_wcag(void **state)
{
    static const struct {
        const char *color;
        double ratio; /* with white, as other tools tell it */
    } known[] = {{"#000000", 21},   {"#ffffff", 1}, {"#fff", 1},       {"#767676", 4.54},
                 {"#777777", 4.47}, {"#f00", 3.99}, {"#4f46e5", 6.29}, {"#0f766e", 5.47}};
    const struct color white = {255, 255, 255};
    struct color color;
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        assert_true(color_read(known[i].color, &color));
        assert_true(fabs(color_contrast(color, white) - known[i].ratio) < 0.01);
        assert_true(fabs(color_contrast(white, color) - color_contrast(color, white)) < 1e-9);
    }
    assert_true(color_read("#1aF", &color));
    assert_true(color.red == 0x11 && color.green == 0xAA && color.blue == 0xFF);
    assert_false(color_read("", &color));
    assert_false(color_read("#", &color));
    assert_false(color_read("#12 ", &color));
    assert_false(color_read("#-12345", &color));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_is_taken),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(every_text_is_bounded),
        cmocka_unit_test(contrast_is_that_of_wcag),
    };
    arena_init(&arena);
    int failed = cmocka_run_group_tests_name("ADM-2 branding", tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
