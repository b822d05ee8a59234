/* WID-2: the body of GET /api/v1/config. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/arena.h"
#include "tenant/widget.h"

static struct arena arena;
static struct buf out;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    buf_init(&out, WIDGET_CONFIG_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&out);
    arena_free(&arena);
    return 0;
}

static const struct fd_json *config(const struct widget_settings *settings)
{
    struct fd_json_fault fault;
    buf_reset(&out);
    assert_true(widget_config(settings, &out));
    const struct fd_json *json = fd_json_parse(out.data, out.len, (struct fd_json_limits){0},
                                               arena_allocator(&arena), &fault);
    assert_non_null(json);
    return json;
}

static void test_defaults(void **state)
{
    static const char *const members[] = {
        "branding",  "theme",    "position", "greeting",        "suggested_questions",
        "languages", "features", "models",   "default_model_id"};
    const struct fd_json *json = config(&(struct widget_settings){.name = "Shop \"1\""});

    (void)state;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        assert_non_null(fd_json_get(json, members[i]));
    assert_int_equal(json->count, 9);
    assert_string_equal(fd_json_string(fd_json_get(json, "branding"), "name"), "Shop \"1\"");
    assert_string_equal(fd_json_string(json, "theme"), "auto");
    assert_int_equal(fd_json_get(json, "position")->type, FD_JSON_NULL);
    assert_int_equal(fd_json_get(json, "features")->count, 5);
    assert_false(fd_json_bool(fd_json_get(json, "features"), "handoff", true));
}

static void test_stored(void **state)
{
    const struct widget_settings s = {
        .name = "Org",
        .branding = "{\"name\":\"Brand\",\"primary_color\":\"#123456\",\"title\":{\"en\":\"Hi\","
                    "\"he\":\"\xd7\xa9\"},\"evil\":[1,2]}",
        .widget = "{\"theme\":\"dark\",\"position\":\"left\",\"greeting\":{\"en\":\"Hello\"},"
                  "\"suggested_questions\":[\"a\",1,\"b\"],\"features\":{\"rating\":true,"
                  "\"model_picker\":true,\"unknown\":true},\"secret\":\"no\"}",
        .languages = "[\"en\",\"he\"]",
        .models = "[{\"model_id\":\"m\"}]",
        .default_model_id = "m"};
    const struct fd_json *json = config(&s);
    const struct fd_json *branding = fd_json_get(json, "branding");

    (void)state;
    assert_string_equal(fd_json_string(branding, "name"), "Brand");
    assert_string_equal(fd_json_string(branding, "primary_color"), "#123456");
    assert_string_equal(fd_json_string(fd_json_get(branding, "title"), "he"), "\xd7\xa9");
    assert_int_equal(fd_json_get(branding, "evil")->type, FD_JSON_NULL);
    assert_string_equal(fd_json_string(json, "theme"), "dark");
    assert_string_equal(fd_json_string(json, "position"), "left");
    assert_string_equal(fd_json_string(fd_json_get(json, "greeting"), "en"), "Hello");
    assert_int_equal(fd_json_get(json, "suggested_questions")->count, 2);
    assert_int_equal(fd_json_get(json, "languages")->count, 2);
    assert_true(fd_json_bool(fd_json_get(json, "features"), "rating", false));
    assert_int_equal(fd_json_get(json, "features")->count, 5);
    assert_int_equal(fd_json_get(json, "models")->count, 1);
    assert_string_equal(fd_json_string(json, "default_model_id"), "m");
    assert_null(strstr(out.data, "secret"));
}

static void test_models_are_for_pickers(void **state)
{
    const struct fd_json *json = config(&(struct widget_settings){
        .name = "Org", .models = "[{\"model_id\":\"m\"}]", .default_model_id = "m"});

    (void)state;
    assert_int_equal(fd_json_get(json, "models")->count, 0);
    assert_int_equal(fd_json_get(json, "default_model_id")->type, FD_JSON_NULL);
}

static void test_wrong_types(void **state)
{
    static const char *const texts[] = {"[]", "1", "null",     "\"x\"",
                                        "{",  "",  "[[[[]]]]", "{\"a\":{}}"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *t = texts[i];
        config(&(struct widget_settings){"n", t, t, t, t, t});
    }
    const struct fd_json *json = config(&(struct widget_settings){
        .name = "n",
        .widget = "{\"theme\":\"<script>\",\"position\":7,\"greeting\":[],\"features\":[1],"
                  "\"suggested_questions\":{\"en\":\"no list\"}}"});
    assert_string_equal(fd_json_string(json, "theme"), "auto");
    assert_int_equal(fd_json_get(json, "greeting")->type, FD_JSON_NULL);
}

static void test_too_long(void **state)
{
    static char text[WIDGET_CONFIG_MAX + 100];
    char *end = text + sizeof(text) - 3;

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, "{\"x\":\"", 6);
    memcpy(end, "\"}", 3);
    buf_reset(&out);
    assert_false(widget_config(&(struct widget_settings){.name = "n", .branding = text}, &out));
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_defaults),    FRESH(test_stored),   FRESH(test_models_are_for_pickers),
        FRESH(test_wrong_types), FRESH(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
