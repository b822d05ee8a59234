/* ENG-1: which provider is used, with which models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "llm/endpoint.h"

static void check_order(const struct config *config, const char *expected)
{
    struct llm_endpoints e;
    char error[256], order[256] = "";
    assert_true(llm_endpoints_load(&e, config, error));
    for (size_t i = 0; i < e.count; i++) {
        (void)snprintf(order + strlen(order), sizeof(order) - strlen(order), "%s%s",
                       i > 0 ? " " : "", e.list[i].name);
    }
    assert_string_equal(order, expected);
    llm_endpoints_free(&e);
}

static void eng_1_order_of_preference(void **state)
{
    struct config c = {.llm_provider = "auto"};
    (void)state;
    check_order(&c, "builtin");
    c.anthropic.api_key = "a";
    check_order(&c, "anthropic builtin");
    c.openai.api_key = "b";
    c.openrouter.api_key = "c";
    c.ollama.fast_model = "llama3.2";
    check_order(&c, "openrouter openai anthropic ollama builtin");
    c.llm_provider = NULL;
    check_order(&c, "openrouter openai anthropic ollama builtin");
    c.llm_provider = "openai"; /* named: the text goes nowhere else */
    check_order(&c, "openai builtin");
    c.llm_provider = "claude";
    check_order(&c, "anthropic builtin");
    c.llm_provider = "ollama";
    check_order(&c, "ollama builtin");
    c.llm_provider = "builtin";
    check_order(&c, "builtin");
}

static void eng_1_not_configured_is_an_error(void **state)
{
    static const struct {
        const char *provider, *variable;
    } cases[] = {{"openrouter", "OPENROUTER_API_KEY"},
                 {"openai", "OPENAI_API_KEY"},
                 {"anthropic", "ANTHROPIC_API_KEY"}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct config c = {.llm_provider = cases[i].provider};
        struct llm_endpoints e;
        char error[256] = "";
        assert_false(llm_endpoints_load(&e, &c, error));
        assert_non_null(strstr(error, cases[i].variable));
        assert_non_null(strstr(error, cases[i].provider));
        llm_endpoints_free(&e);
    }
}

static void eng_1_defaults_and_overrides(void **state)
{
    struct config c = {.llm_provider = "auto"};
    struct llm_endpoints e;
    char error[256];
    (void)state;
    c.openrouter.api_key = "k";
    c.openai.base_url = "http://127.0.0.1:8000/v1"; /* vLLM: no key */
    c.openai.fast_model = "qwen";
    c.anthropic.api_key = "k";
    c.anthropic.base_url = "https://proxy.example/anthropic/v1";
    assert_true(llm_endpoints_load(&e, &c, error));
    assert_int_equal(e.count, 4);

    assert_ptr_equal(e.list[0].protocol, &llm_openai);
    assert_string_equal(e.list[0].base_url, "https://openrouter.ai/api/v1");
    assert_string_equal(e.list[0].api_key, "k");
    assert_string_equal(e.list[0].fast_model, "openai/gpt-4.1-mini");
    assert_string_equal(e.list[0].reasoning_model, "anthropic/claude-sonnet-4");
    assert_string_equal(e.list[0].fallback_model, "google/gemini-2.0-flash-001");

    assert_string_equal(e.list[1].base_url, "http://127.0.0.1:8000/v1");
    assert_null(e.list[1].api_key);
    assert_string_equal(e.list[1].fast_model, "qwen");

    assert_ptr_equal(e.list[2].protocol, &llm_anthropic);
    assert_string_equal(e.list[2].base_url, "https://proxy.example/anthropic");

    assert_null(e.list[3].protocol);
    for (size_t i = 0; i < e.count; i++) {
        assert_non_null(e.list[i].fast_model);
        assert_non_null(e.list[i].reasoning_model);
        assert_non_null(e.list[i].fallback_model);
    }
    llm_endpoints_free(&e);
}

static const char tags[] =
    "{\"models\":[{\"name\":\"llama3.3:70b\",\"size\":42520413916},"
    "{\"name\":\"nomic-embed-text:latest\",\"size\":274302450,\"details\":{\"family\":\"nomic-bert"
    "\"}},{\"name\":\"llama3.2:3b\",\"size\":2019393189},{\"name\":\"qwen3:8b\",\"size\":"
    "5200000000}]}";

static void eng_1_ollama_found(void **state)
{
    struct config c = {.llm_provider = "auto"};
    struct llm_endpoints e;
    char error[256], copy[sizeof(tags)];
    (void)state;
    c.anthropic.api_key = "k";
    assert_true(llm_endpoints_load(&e, &c, error));
    memcpy(copy, tags, sizeof(tags));
    assert_true(llm_endpoints_add_ollama(&e, &c, copy, strlen(copy)));
    memset(copy, 'x', sizeof(copy)); /* strings are copied */
    assert_int_equal(e.count, 3);
    assert_string_equal(e.list[1].name, "ollama");
    assert_string_equal(e.list[1].base_url, "http://127.0.0.1:11434");
    assert_string_equal(e.list[1].fast_model, "llama3.2:3b");
    assert_string_equal(e.list[1].reasoning_model, "llama3.3:70b");
    assert_string_equal(e.list[1].fallback_model, "llama3.2:3b");
    assert_string_equal(e.list[2].name, "builtin");

    c.ollama.fast_model = "qwen3:8b"; /* asked again: replaced, not added */
    assert_true(llm_endpoints_add_ollama(&e, &c, tags, strlen(tags)));
    assert_int_equal(e.count, 3);
    assert_string_equal(e.list[1].fast_model, "qwen3:8b");
    llm_endpoints_free(&e);
}

static void eng_1_no_ollama(void **state)
{
    static const char *const answers[] = {"",
                                          "<html>",
                                          "{}",
                                          "[]",
                                          "{\"models\":[]}",
                                          "{\"models\":7}",
                                          "{\"models\":[1,null,{}]}",
                                          "{\"models\":[{\"name\":\"mxbai-embed-large\"}]}",
                                          "{\"models\":[{\"name\":\"\"}]}"};
    struct config c = {.llm_provider = "auto"};
    struct llm_endpoints e;
    char error[256];
    (void)state;
    assert_true(llm_endpoints_load(&e, &c, error));
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        assert_false(llm_endpoints_add_ollama(&e, &c, answers[i], strlen(answers[i])));
    }
    assert_int_equal(e.count, 1);
    c.llm_provider = "openai";
    assert_false(llm_endpoints_add_ollama(&e, &c, tags, strlen(tags)));
    llm_endpoints_free(&e);
}

static void eng_1_where_to_look_for_ollama(void **state)
{
    struct config c = {.llm_provider = "auto"};
    struct arena a;
    (void)state;
    arena_init(&a);
    assert_string_equal(llm_ollama_tags_url(&c, &a), "http://127.0.0.1:11434/api/tags");
    c.ollama.base_url = "http://gpu:11434";
    c.llm_provider = "ollama";
    assert_string_equal(llm_ollama_tags_url(&c, &a), "http://gpu:11434/api/tags");
    c.llm_provider = "builtin";
    assert_null(llm_ollama_tags_url(&c, &a));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_1_order_of_preference),
        cmocka_unit_test(eng_1_not_configured_is_an_error),
        cmocka_unit_test(eng_1_defaults_and_overrides),
        cmocka_unit_test(eng_1_ollama_found),
        cmocka_unit_test(eng_1_no_ollama),
        cmocka_unit_test(eng_1_where_to_look_for_ollama),
    };
    return cmocka_run_group_tests_name("llm endpoint", tests, NULL, NULL);
}
