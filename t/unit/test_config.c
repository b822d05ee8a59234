/* core/config.h and conf/frontdesk.env.example */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/config.h"

#include <unistd.h>

static struct config config;
static char complaints[4096];

static bool load(const char *file)
{
    FILE *out = fmemopen(complaints, sizeof(complaints), "w");
    bool ok;

    memset(complaints, 0, sizeof(complaints));
    ok = config_load(&config, file, out);
    fclose(out);
    return ok;
}

/* Writes a file, loads it, removes it. */
static bool load_text(const char *text)
{
    char path[] = "/tmp/fd-config-XXXXXX";
    int fd = mkstemp(path);
    bool ok;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    ok = load(path);
    unlink(path);
    return ok;
}

static int clear(void **state)
{
    (void)state;
    clearenv();
    return 0;
}

static void test_defaults(void **state)
{
    (void)state;
    assert_true(load(NULL));
    assert_string_equal(complaints, "");
    assert_string_equal(config.llm_provider, "auto");
    assert_null(config.openrouter.api_key);
    assert_null(config.metrics_listen);
    assert_int_equal(config.max_chunk_tokens, 1000);
    assert_int_equal(config.max_chunks, 6);
    assert_int_equal(config.max_context_tokens, 6000);
    assert_true(config.temperature == 0.2);
    assert_int_equal(config.heartbeat_ms, 3000);
    assert_int_equal(config.takeover_idle_ms, 10000);
    assert_non_null(config.worker_name);
    assert_true(config.worker_name[0] != '\0');
}

/* ENG-1: the environment, else the file, else the default; empty is unset. */
static void test_precedence(void **state)
{
    (void)state;
    setenv("FRONTDESK_DB_THREADS", "7", 1);
    setenv("FRONTDESK_JOB_SLOTS", "", 1);
    assert_true(
        load_text("# a comment\n; another\n\n"
                  "FRONTDESK_DB_THREADS=8\n  FRONTDESK_JOB_SLOTS = 9 \r\n"
                  "FRONTDESK_DRAIN_MS=\n"
                  "OPENAI_API_KEY=\"sk-#;=x\"\nOPENAI_FAST_MODEL='m'\nLLM_PROVIDER=claude"));
    assert_int_equal(config.db_threads, 7);
    assert_int_equal(config.job_slots, 9);
    assert_int_equal(config.drain_ms, 30000);
    assert_string_equal(config.openai.api_key, "sk-#;=x");
    assert_string_equal(config.openai.fast_model, "m");
    assert_string_equal(config.llm_provider, "anthropic");
}

static void test_long_values(void **state)
{
    static char text[10000] = "FRONTDESK_DATABASE_URL=";

    (void)state;
    memset(text + strlen(text), 'x', 9000);
    assert_true(load_text(text));
    assert_int_equal(strlen(config.database_url), 9000);
}

static void test_urls(void **state)
{
    (void)state;
    setenv("OPENAI_BASE_URL", "https://x.example/v1//", 1);
    setenv("OLLAMA_HOST", "127.0.0.1:11434", 1);
    assert_true(load(NULL));
    assert_string_equal(config.openai.base_url, "https://x.example/v1");
    assert_string_equal(config.ollama.base_url, "http://127.0.0.1:11434");
    setenv("OLLAMA_HOST", "ollama.lan", 1);
    assert_true(load(NULL));
    assert_string_equal(config.ollama.base_url, "http://ollama.lan:11434");
    setenv("OLLAMA_HOST", "[::1]", 1);
    assert_true(load(NULL));
    assert_string_equal(config.ollama.base_url, "http://[::1]:11434");
    setenv("OLLAMA_HOST", "https://o.example/", 1);
    assert_true(load(NULL));
    assert_string_equal(config.ollama.base_url, "https://o.example");
}

/* ADM-5's bounds, and that every complaint says which, what and what would be right. */
static void test_complaints(void **state)
{
    static const struct {
        const char *name, *value, *complaint;
    } cases[] = {
        {"FRONTDESK_DB_THREADS", "0",
         "FRONTDESK_DB_THREADS is \"0\", but must be a whole number from 1 to 64\n"},
        {"FRONTDESK_DB_THREADS", "4x",
         "FRONTDESK_DB_THREADS is \"4x\", but must be a whole number from 1 to 64\n"},
        {"FRONTDESK_DB_THREADS", "99999999999999999999",
         "FRONTDESK_DB_THREADS is \"99999999999999999999\", but must be a whole number from 1 to "
         "64\n"},
        {"OPENROUTER_TEMPERATURE", "1.5",
         "OPENROUTER_TEMPERATURE is \"1.5\", but must be a number from 0 to 1\n"},
        {"OPENROUTER_TEMPERATURE", "nan",
         "OPENROUTER_TEMPERATURE is \"nan\", but must be a number from 0 to 1\n"},
        {"LLM_PROVIDER", "gpt",
         "LLM_PROVIDER is \"gpt\", but must be one of auto, openrouter, openai, anthropic, claude, "
         "ollama, builtin\n"},
        {"FRONTDESK_LOG_LEVEL", "info|warn",
         "FRONTDESK_LOG_LEVEL is \"info|warn\", but must be one of debug, info, warn, error\n"},
        {"FRONTDESK_OUTBOUND_ALLOW", "n8n.internal",
         "FRONTDESK_OUTBOUND_ALLOW is \"n8n.internal\", but must be host:port, several with commas "
         "between them\n"},
        {"FRONTDESK_DNS_SERVERS", "9.9.9.9,dns.example",
         "FRONTDESK_DNS_SERVERS is \"9.9.9.9,dns.example\", but must be IP or IP:port, several "
         "with commas between them\n"},
        {"FRONTDESK_JOBS_REDIS", "redis:6379",
         "FRONTDESK_JOBS_REDIS is \"redis:6379\", but must be unix:/path or IP:port\n"},
        {"OPENAI_BASE_URL", "x.example",
         "OPENAI_BASE_URL is \"x.example\", but must be an http or https URL\n"},
        {"FRONTDESK_WORKER_NAME", "a b",
         "FRONTDESK_WORKER_NAME is \"a b\", but must be up to 63 letters, digits, dots, dashes and "
         "underscores\n"},
        /* a secret is never shown */
        {"OPENAI_API_KEY", "sk\r\nX: y",
         "OPENAI_API_KEY is not usable: it must be text without control characters\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        clearenv();
        setenv(cases[i].name, cases[i].value, 1);
        assert_false(load(NULL));
        assert_string_equal(complaints, cases[i].complaint);
    }
}

static void test_bad_file(void **state)
{
    (void)state;
    assert_false(load("/nowhere/frontdesk.env"));
    assert_string_equal(complaints,
                        "cannot read /nowhere/frontdesk.env: No such file or directory\n");
    assert_false(load_text("FRONTDESK_JOB_SLOT=1\nsecret\n"));
    assert_non_null(strstr(complaints, ":1: there is no variable of this name\n"));
    assert_non_null(strstr(complaints, ":2: expected NAME=value\n"));
    assert_null(strstr(complaints, "secret"));
}

/* conf/frontdesk.env.example is what config_print_example() prints; the tests run in
 * the project's directory. */
static void test_example_is_current(void **state)
{
    static char expected[65536], committed[65536];
    FILE *out = fmemopen(expected, sizeof(expected), "w");
    FILE *file = fopen("conf/frontdesk.env.example", "r");

    (void)state;
    config_print_example(out);
    fclose(out);
    assert_non_null(file);
    assert_true(fread(committed, 1, sizeof(committed) - 1, file) > 0);
    fclose(file);
    assert_string_equal(committed, expected);
    assert_true(load("conf/frontdesk.env.example"));
}

/* The example with every default switched on changes nothing. */
static void test_example_loads(void **state)
{
    static char text[65536], active[65536];
    FILE *out = fmemopen(text, sizeof(text), "w");
    size_t len = 0;

    (void)state;
    config_print_example(out);
    fclose(out);
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        size_t line_len = (size_t)(strchr(line, '\n') - line) + 1;
        size_t skip = line[0] == '#' && line[1] != ' ' ? 1 : 0;

        memcpy(active + len, line + skip, line_len - skip);
        len += line_len - skip;
    }
    assert_true(load_text(active));
    assert_string_equal(complaints, "");
    assert_int_equal(config.max_chunks, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_defaults, clear),
        cmocka_unit_test_setup(test_precedence, clear),
        cmocka_unit_test_setup(test_long_values, clear),
        cmocka_unit_test_setup(test_urls, clear),
        cmocka_unit_test_setup(test_complaints, clear),
        cmocka_unit_test_setup(test_bad_file, clear),
        cmocka_unit_test_setup(test_example_is_current, clear),
        cmocka_unit_test_setup(test_example_loads, clear),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
