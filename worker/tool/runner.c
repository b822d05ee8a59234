#include "core/breaker.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "tool/result.h"
#include "tool/tool.h"
#include "tool/webhook.h"

#include <stdlib.h>
#include <string.h>
/* The default one falls through in a switch, which clang warns of. */
#define HASH_FUNCTION(key, len, hash) HASH_OAT(key, len, hash)
#include <uthash.h>

#define ORG_CALLS_MAX 32   /* at the same time, of one organisation in this worker */
#define BREAKERS_MAX  4096 /* tools that are remembered; the oldest closed ones go */

struct tool_breaker {
    char id[64];
    struct breaker breaker;
    unsigned calls; /* that are out */
    UT_hash_handle hh;
};

struct org_load {
    char org[37];
    unsigned calls;
    UT_hash_handle hh;
};

struct tool_runner {
    struct loop *loop;
    struct webhook *webhook;
    struct tool_executor executors[TOOL_KINDS];
    struct tool_breaker *breakers; /* oldest first */
    struct org_load *loads;
    struct tool_run *runs;
};

struct tool_run {
    struct tool_runner *runner;
    struct arena arena;
    const struct tool *tool;
    struct tool_breaker *breaker; /* NULL: it does not run */
    struct org_load *load;
    void *running; /* the executor's */
    struct tool_result result;
    int64_t began_ms; /* monotonic */
    tool_end_fn *on_end;
    void *arg;
    struct tool_run *prev, *next;
};

static struct metric *calls_total, *call_seconds;

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

/* -- who may run ----------------------------------------------------------------------------- */

static void forget_a_breaker(struct tool_runner *runner)
{
    struct tool_breaker *entry, *next;

    HASH_ITER (hh, runner->breakers, entry, next) {
        if (entry->calls == 0) {
            HASH_DEL(runner->breakers, entry);
            free(entry);
            return;
        }
    }
}

static struct tool_breaker *breaker_of(struct tool_runner *runner, const char *id)
{
    struct tool_breaker *entry;

    HASH_FIND_STR(runner->breakers, id, entry);
    if (entry != NULL)
        return entry;
    if (HASH_COUNT(runner->breakers) >= BREAKERS_MAX)
        forget_a_breaker(runner);
    entry = must(calloc(1, sizeof(*entry)));
    memcpy(entry->id, id, strnlen(id, sizeof(entry->id) - 1));
    HASH_ADD_STR(runner->breakers, id, entry);
    return entry;
}

static struct org_load *load_of(struct tool_runner *runner, const char *org)
{
    struct org_load *load;

    HASH_FIND_STR(runner->loads, org, load);
    if (load == NULL) {
        load = must(calloc(1, sizeof(*load)));
        memcpy(load->org, org, strnlen(org, sizeof(load->org) - 1));
        HASH_ADD_STR(runner->loads, org, load);
    }
    return load;
}

static void give_back(struct tool_run *run)
{
    if (run->load == NULL)
        return;
    run->breaker->calls--;
    if (--run->load->calls == 0) {
        HASH_DEL(run->runner->loads, run->load);
        free(run->load);
    }
    run->load = NULL;
}

/* What the failure says of the tool: it is away, it works, or nothing. */
static void tell_breaker(struct tool_run *run, const struct tool_result *result)
{
    struct breaker *breaker = &run->breaker->breaker;
    int64_t now = clock_mono_ms();
    int status = result->status;

    switch (result->failure) {
    case TOOL_OK:
    case TOOL_FAILED: breaker_success(breaker); break;
    case TOOL_UNREACHABLE:
    case TOOL_TIMEOUT:
    case TOOL_RESPONSE: breaker_failure(breaker, now); break;
    case TOOL_HTTP:
        if (status >= 500 || status == 429 || status == 401 || status == 403 || status == 404)
            breaker_failure(breaker, now);
        else
            breaker_success(breaker);
        break;
    case TOOL_UNKNOWN:
    case TOOL_ARGUMENTS:
    case TOOL_REFUSED:
    case TOOL_BLOCKED:
    case TOOL_UNAVAILABLE: breaker_abandon(breaker); break;
    }
}

/* -- a run ----------------------------------------------------------------------------------- */

static void run_free(struct tool_run *run)
{
    if (run->prev != NULL)
        run->prev->next = run->next;
    else
        run->runner->runs = run->next;
    if (run->next != NULL)
        run->next->prev = run->prev;
    arena_free(&run->arena);
    free(run);
}

static void end_with(struct tool_run *run, const struct tool_result *result)
{
    tool_end_fn *on_end = run->on_end;
    void *arg = run->arg;

    metric_add(calls_total, tool_failure_name(result->failure), 1);
    metric_observe(call_seconds, NULL, (double)result->ms / 1000);
    on_end(arg, result);
    run_free(run);
}

static void on_executed(void *arg, const struct tool_result *result)
{
    struct tool_run *run = arg;

    run->running = NULL;
    tell_breaker(run, result);
    give_back(run);
    end_with(run, result);
}

/* It did not get as far as an executor. */
static void on_refused(void *arg)
{
    struct tool_run *run = arg;

    run->result.ms = clock_mono_ms() - run->began_ms;
    end_with(run, &run->result);
}

static void refuse(struct tool_run *run, enum tool_failure failure, const char *message,
                   const char *detail)
{
    tool_result_fail(&run->result, &run->arena, failure, run->tool->risk, NULL, message);
    run->result.operator_detail = detail;
    loop_defer(run->runner->loop, on_refused, run);
}

static void execute(struct tool_run *run, const char *arguments, const struct tool_context *context)
{
    struct tool_runner *runner = run->runner;
    const struct tool_executor *executor = &runner->executors[run->tool->kind];

    if (executor->start == NULL) {
        refuse(run, TOOL_UNAVAILABLE, NULL, "nothing runs tools of this kind");
        return;
    }
    struct org_load *load = load_of(runner, context->org);
    struct tool_breaker *breaker = breaker_of(runner, run->tool->id);
    if (load->calls >= ORG_CALLS_MAX) {
        refuse(run, TOOL_UNAVAILABLE, NULL, "too many calls of this organisation at a time");
        return;
    }
    if (!breaker_allows(&breaker->breaker, clock_mono_ms())) {
        if (load->calls == 0) {
            HASH_DEL(runner->loads, load);
            free(load);
        }
        refuse(run, TOOL_UNAVAILABLE, NULL,
               "it failed several times in a row; it is tried again in a while");
        return;
    }
    run->load = load;
    run->breaker = breaker;
    load->calls++;
    breaker->calls++;
    run->running = executor->start(executor->self, run->tool, arguments, context, on_executed, run);
}

struct tool_run *tool_run_start(struct tool_runner *runner, const struct tool *tool,
                                const char *arguments, const struct tool_context *context,
                                tool_end_fn *on_end, void *arg)
{
    struct tool_run *run = must(calloc(1, sizeof(*run)));
    const char *complete;
    char why[TOOL_WHY_SIZE];

    arena_init(&run->arena);
    run->runner = runner;
    run->tool = tool;
    run->on_end = on_end;
    run->arg = arg;
    run->began_ms = clock_mono_ms();
    run->next = runner->runs;
    if (run->next != NULL)
        run->next->prev = run;
    runner->runs = run;
    enum tool_failure failure =
        tool_arguments(tool, arguments, context, &run->arena, &complete, why);
    if (failure == TOOL_OK)
        execute(run, complete, context);
    else
        refuse(run, failure, why, NULL);
    return run;
}

void tool_run_cancel(struct tool_run *run)
{
    if (run->running != NULL) {
        const struct tool_executor *executor = &run->runner->executors[run->tool->kind];
        executor->cancel(executor->self, run->running);
        breaker_abandon(&run->breaker->breaker);
        give_back(run);
    } else {
        loop_undefer(run->runner->loop, on_refused, run);
    }
    metric_add(calls_total, "cancelled", 1);
    run_free(run);
}

/* -- the runner ------------------------------------------------------------------------------ */

struct tool_runner *tool_runner_new(struct loop *loop, struct outbound *outbound)
{
    struct tool_runner *runner = must(calloc(1, sizeof(*runner)));

    if (calls_total == NULL) {
        calls_total = metric_register(METRIC_COUNTER, "frontdesk_tool_calls_total",
                                      "Calls of tools, by outcome", "outcome");
        call_seconds = metric_register(METRIC_HISTOGRAM, "frontdesk_tool_call_seconds",
                                       "How long a call of a tool took", NULL);
    }
    runner->loop = loop;
    runner->webhook = webhook_new(loop, outbound);
    runner->executors[TOOL_WEBHOOK] = webhook_executor(runner->webhook);
    return runner;
}

void tool_runner_free(struct tool_runner *runner)
{
    struct tool_breaker *entry, *next;

    if (runner == NULL)
        return;
    while (runner->runs != NULL)
        tool_run_cancel(runner->runs);
    HASH_ITER (hh, runner->breakers, entry, next) {
        HASH_DEL(runner->breakers, entry);
        free(entry);
    }
    webhook_free(runner->webhook);
    free(runner);
}

void tool_runner_register(struct tool_runner *runner, enum tool_kind kind,
                          const struct tool_executor *executor)
{
    runner->executors[kind] = *executor;
}
