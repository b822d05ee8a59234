/* ENG-10: tool/runner.c - what may run, and what the breaker learns of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/loop.h"
#include "net/outbound.h"
#include "tool/result.h"
#include "tool/schema.h"
#include "tool/tool.h"
#include "tool/webhook.h"

#define CALLS_MAX 64

static struct arena arena;
static struct loop *loop;
static struct outbound *outbound;
static struct tool_runner *runner;
static struct tool tool;
static struct tool_webhook hook = {.token_header = "X"};
static struct tool_context context;

/* -- an executor that does what it is told --------------------------------------------------- */

struct fake_call {
    tool_end_fn *on_end;
    void *arg;
    char arguments[256];
    bool cancelled;
};

static struct fake_call calls[CALLS_MAX];
static size_t call_count;

static void *fake_start(void *self, const struct tool *t, const char *arguments,
                        const struct tool_context *c, tool_end_fn *on_end, void *arg)
{
    (void)self, (void)t, (void)c;
    assert_true(call_count < CALLS_MAX);
    calls[call_count] = (struct fake_call){.on_end = on_end, .arg = arg};
    snprintf(calls[call_count].arguments, sizeof(calls[0].arguments), "%s", arguments);
    return &calls[call_count++];
}

static void fake_cancel(void *self, void *running)
{
    (void)self;
    ((struct fake_call *)running)->cancelled = true;
}

static void finish(struct fake_call *call, enum tool_failure failure, int status)
{
    struct tool_result result = {.status = status};

    if (failure == TOOL_OK)
        result.json = "1", result.len = 1;
    else
        tool_result_fail(&result, &arena, failure, tool.risk, NULL, NULL);
    call->on_end(call->arg, &result);
}

/* -- the caller ------------------------------------------------------------------------------ */

static struct {
    int ends;
    enum tool_failure failure;
    char json[1024];
    char detail[256];
    bool inside; /* of tool_run_start() */
} told;

static void on_end(void *arg, const struct tool_result *result)
{
    (void)arg;
    assert_false(told.inside);
    told.ends++;
    told.failure = result->failure;
    snprintf(told.json, sizeof(told.json), "%s", result->json);
    snprintf(told.detail, sizeof(told.detail), "%s",
             result->operator_detail != NULL ? result->operator_detail : "");
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static void turn(int ms)
{
    struct timer *timer = timer_new(loop, stop, loop);

    timer_set(timer, ms);
    loop_run(loop);
    timer_free(timer);
}

static struct tool_run *run(const char *arguments)
{
    told.inside = true;
    struct tool_run *started = tool_run_start(runner, &tool, arguments, &context, on_end, NULL);
    told.inside = false;
    assert_non_null(started);
    return started;
}

static enum tool_failure outcome(const char *arguments)
{
    int before = told.ends;

    run(arguments);
    turn(1);
    assert_int_equal(told.ends, before + 1);
    return told.failure;
}

static int set_up(void **state)
{
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}";
    static const struct tool_executor fake = {fake_start, fake_cancel, NULL};
    struct tool_schema_fault fault;
    const struct fd_json *json;

    (void)state;
    arena_init(&arena);
    loop = loop_new();
    outbound = outbound_new(loop, NULL);
    runner = tool_runner_new(loop, outbound);
    tool_runner_register(runner, TOOL_ENDPOINT, &fake);
    tool = (struct tool){.id = "t1", .name = "t", .kind = TOOL_ENDPOINT, .webhook = &hook};
    tool.schema = tool_schema_read(&arena, schema, sizeof(schema) - 1, &json, &fault);
    context = (struct tool_context){.org = "org-a", .job_id = "j", .call_id = "c"};
    memset(&told, 0, sizeof(told));
    call_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tool_runner_free(runner);
    outbound_free(outbound);
    turn(0); /* evdns tells what was cancelled in the turn after */
    loop_free(loop);
    arena_free(&arena);
    return 0;
}

/* -- tests ----------------------------------------------------------------------------------- */

static void eng_10_runs_and_refuses(void **state)
{
    (void)state;
    run("{\"n\":1}");
    assert_int_equal(told.ends, 0);
    assert_string_equal(calls[0].arguments, "{\"n\":1}");
    finish(&calls[0], TOOL_OK, 200);
    assert_int_equal(told.ends, 1);
    assert_string_equal(told.json, "1");

    assert_int_equal(outcome("{\"n\":\"x\"}"), TOOL_ARGUMENTS);
    assert_string_equal(told.json,
                        "{\"error\":{\"code\":\"arguments\",\"message\":\"$.n must be an integer, "
                        "not the string \\\"x\\\"\",\"retryable\":true}}");
    static const struct tool_binding bound = {"who", "visitor.user_id"};
    tool.bindings = &bound;
    tool.binding_count = 1;
    context.user_id = "claimed"; /* and not verified */
    assert_int_equal(outcome("{}"), TOOL_REFUSED);
    tool.kind = TOOL_QUERY; /* nobody registered for it */
    context.user_verified = true;
    assert_int_equal(outcome("{}"), TOOL_UNAVAILABLE);
    assert_int_equal(call_count, 1);
}

static void eng_10_cancelled(void **state)
{
    (void)state;
    struct tool_run *running = run("{}");
    tool_run_cancel(running);
    assert_true(calls[0].cancelled);
    tool_run_cancel(run("[]")); /* refused, but not told yet */
    turn(1);
    assert_int_equal(told.ends, 0);
    run("{}"); /* the runner goes while it is out: see tear_down */
}

/* It stops asking a tool that keeps failing, that one tool only. */
static void eng_10_breaker(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        run("{}");
        finish(&calls[i], TOOL_UNREACHABLE, 0);
    }
    assert_int_equal(outcome("{}"), TOOL_UNAVAILABLE);
    assert_non_null(strstr(told.detail, "several times in a row"));
    assert_int_equal(call_count, 5);
    tool.id = "t2";
    run("{}");
    assert_int_equal(call_count, 6);
}

static void eng_10_breaker_learns(void **state)
{
    static const struct {
        enum tool_failure failure;
        int status;
        bool opens;
    } cases[] = {
        {TOOL_UNREACHABLE, 0, true}, {TOOL_TIMEOUT, 0, true},  {TOOL_RESPONSE, 200, true},
        {TOOL_HTTP, 500, true},      {TOOL_HTTP, 404, true},   {TOOL_HTTP, 403, true},
        {TOOL_HTTP, 429, true},      {TOOL_HTTP, 400, false},  {TOOL_HTTP, 422, false},
        {TOOL_FAILED, 200, false},   {TOOL_BLOCKED, 0, false}, {TOOL_OK, 200, false},
    };
    char id[16];

    (void)state;
    tool.id = id;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(id, sizeof(id), "tool-%zu", i);
        call_count = 0;
        for (size_t k = 0; k < 5; k++) {
            run("{}");
            finish(&calls[k], cases[i].failure, cases[i].status);
        }
        run("{}");
        turn(1);
        assert_int_equal(call_count, cases[i].opens ? 5 : 6);
        if (!cases[i].opens)
            finish(&calls[5], TOOL_OK, 200);
    }
}

/* One organisation's calls do not take all of a worker. */
static void eng_10_calls_at_a_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < 32; i++)
        run("{}");
    assert_int_equal(call_count, 32);
    assert_int_equal(outcome("{}"), TOOL_UNAVAILABLE);
    context.org = "org-b";
    run("{}");
    assert_int_equal(call_count, 33);
    finish(&calls[0], TOOL_OK, 200);
    context.org = "org-a";
    run("{}");
    assert_int_equal(call_count, 34);
}

/* A webhook on an address that tenants may not reach, and one without time left. */
static void eng_10_webhook_is_there(void **state)
{
    (void)state;
    tool.kind = TOOL_WEBHOOK;
    tool.url = "http://127.0.0.1:1/x";
    run("{}");
    for (int i = 0; i < 200 && told.ends == 0; i++)
        turn(10);
    assert_int_equal(told.failure, TOOL_BLOCKED);
    context.deadline_ms = clock_wall_ms() - 1;
    assert_int_equal(outcome("{}"), TOOL_UNAVAILABLE);
    assert_string_equal(told.detail, "no time was left for it");
    context.deadline_ms = 0;
    tool_run_cancel(run("{}"));
    run("{}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(eng_10_runs_and_refuses), TEST(eng_10_cancelled),       TEST(eng_10_breaker),
        TEST(eng_10_breaker_learns),   TEST(eng_10_calls_at_a_time), TEST(eng_10_webhook_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
