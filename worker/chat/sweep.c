#include "chat/sweep.h"

#include "chat/decision.h"
#include "context/memory.h"
#include "chat/meters.h"
#include "chat/seat.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"

#include <stdlib.h>
#include <string.h>

#define EVERY_MS 2000
#define RETRY_MS 1000
#define RUNS_MAX 8
#define LIFE_MS  60000 /* of one run, at most */

/* A look for what is due, with what it found. */
struct look {
    struct sweep *sweep;
    struct arena arena;
    enum db_status status;
    struct decisions found;
    size_t runs; /* that may be taken */
};

/* An approved call at work. */
struct run {
    struct sweep *sweep;
    struct run *next;
    struct arena arena;
    struct decision_run what;
    struct tool_run *running;
    struct timer *timer;
    struct execution_end end;
    enum execution_status stands;
    bool back; /* it is not begun: the worker drains */
    int64_t began_ms;
    enum db_status status;
    struct log_context log;
};

struct sweep {
    struct engine *engine;
    struct timer *timer;
    struct run *runs;
    size_t count;
    bool looking;
    bool stopped;
};

/* -- an approved call ---------------------------------------------------------------------- */

static void run_free(struct run *run)
{
    struct run **at = &run->sweep->runs;
    while (*at != run)
        at = &(*at)->next;
    *at = run->next;
    run->sweep->count--;
    if (run->running != NULL)
        tool_run_cancel(run->running);
    timer_free(run->timer);
    toolbox_unref(run->what.box);
    arena_free(&run->arena);
    free(run);
}

static void store(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct run *run = arg;
    run->status = run->back
                      ? decision_put_back(seat->db, &run->what)
                      : decision_end(seat->db, &run->arena, &run->what, &run->end, &run->stands);
}

static void stored(void *arg, bool ran)
{
    struct run *run = arg;
    struct engine *engine = run->sweep->engine;
    if (!ran) {
        run_free(run); /* the process ends: the row says that it was begun */
        return;
    }
    if (run->status == DB_LOST || run->status == DB_BUSY) {
        timer_set(run->timer, RETRY_MS);
        return;
    }
    if (run->back) {
        run_free(run);
        return;
    }
    if (run->what.session != NULL)
        memory_forget(engine->live, run->what.org, run->what.session);
    metric_add(meters.tools, execution_status_name(run->stands), 1);
    log_info(&run->log, "tool.ended", LOG_STR("tool", run->what.tool),
             LOG_STR("call", run->what.call_id),
             LOG_STR("status", execution_status_name(run->stands)),
             LOG_STR("failure", run->end.failure), LOG_INT("ms", run->end.ms));
    run_free(run);
}

static void on_store_timer(void *arg)
{
    struct run *run = arg;
    if (!pool_submit(run->sweep->engine->pool, store, stored, run))
        timer_set(run->timer, RETRY_MS);
}

static void on_end(void *arg, const struct tool_result *result)
{
    struct run *run = arg;
    run->running = NULL;
    run->end = (struct execution_end){
        .status = execution_status_of(TOOL_HIGH, result), /* nothing else is approved */
        .failure = result->failure != TOOL_OK ? tool_failure_name(result->failure) : NULL,
        .response = arena_strndup(&run->arena, result->json, result->len),
        .response_len = result->len,
        .detail = arena_strdup(&run->arena, result->operator_detail),
        .http_status = result->status,
        .ms = clock_mono_ms() - run->began_ms};
    on_store_timer(run);
}

static void copy_strings(struct arena *a, struct decision_run *to, const struct decision_run *from)
{
    *to = (struct decision_run){.id = arena_strdup(a, from->id),
                                .org = arena_strdup(a, from->org),
                                .org_name = arena_strdup(a, from->org_name),
                                .session = arena_strdup(a, from->session),
                                .conversation_id = arena_strdup(a, from->conversation_id),
                                .job_id = arena_strdup(a, from->job_id),
                                .call_id = arena_strdup(a, from->call_id),
                                .tool = arena_strdup(a, from->tool),
                                .arguments = arena_strdup(a, from->arguments),
                                .user_id = arena_strdup(a, from->user_id),
                                .user_email = arena_strdup(a, from->user_email),
                                .summary = arena_strdup(a, from->summary),
                                .language = arena_strdup(a, from->language),
                                .box = from->box};
}

static void start(struct sweep *sweep, const struct decision_run *what)
{
    struct engine *engine = sweep->engine;
    struct run *run = calloc(1, sizeof(*run));
    if (run == NULL)
        abort();
    run->sweep = sweep;
    run->next = sweep->runs;
    sweep->runs = run;
    sweep->count++;
    run->timer = timer_new(engine->loop, on_store_timer, run);
    run->began_ms = clock_mono_ms();
    copy_strings(&run->arena, &run->what, what);
    run->log = (struct log_context){.job_id = run->what.job_id,
                                    .conversation_id = run->what.conversation_id,
                                    .org_id = run->what.org};
    if (sweep->stopped) {
        run->back = true;
        on_store_timer(run);
        return;
    }
    const struct tool *tool = tool_find(&run->what.box->set, run->what.tool);
    if (tool == NULL) { /* switched off since */
        on_end(run, &(struct tool_result){.failure = TOOL_UNKNOWN, .json = "{}", .len = 2});
        return;
    }
    char callback[ENGINE_CALLBACK_SIZE];
    struct tool_context context = {
        .org = run->what.org,
        .org_name = run->what.org_name,
        .session = run->what.session,
        .conversation_id = run->what.conversation_id,
        .job_id = run->what.job_id,
        .call_id = run->what.call_id,
        .language = run->what.language,
        .channel = "widget",
        .user_id = run->what.user_id,
        .user_verified = run->what.user_id != NULL,
        .user_email = run->what.user_email,
        .callback_url = engine_callback_url(engine, run->what.org, run->what.id, callback),
        .deadline_ms = engine_now(engine) + LIFE_MS};
    run->running = tool_run_start(engine->tools, tool, run->what.arguments, &context, on_end, run);
}

/* -- looking ---------------------------------------------------------------------------------- */

static void look(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct look *look = arg;
    look->status = decisions_take(seat->db, &look->arena, look->runs, &look->found);
}

static void looked(void *arg, bool ran)
{
    struct look *look = arg;
    struct sweep *sweep = look->sweep;
    sweep->looking = false;
    for (size_t i = 0; i < look->found.told_count; i++)
        memory_forget(sweep->engine->live, look->found.told[i].org, look->found.told[i].session);
    for (size_t i = 0; i < look->found.run_count; i++) {
        if (sweep->engine->stopped)
            toolbox_unref(look->found.runs[i].box);
        else
            start(sweep, &look->found.runs[i]);
    }
    if (ran && look->status == DB_FAILED)
        log_error(NULL, "sweep.failed");
    arena_free(&look->arena);
    free(look);
    if (!sweep->stopped)
        timer_set(sweep->timer, EVERY_MS);
}

static void on_timer(void *arg)
{
    struct sweep *sweep = arg;
    struct look *it = calloc(1, sizeof(*it));
    if (it == NULL)
        abort();
    it->sweep = sweep;
    it->runs = sweep->count < RUNS_MAX ? RUNS_MAX - sweep->count : 0;
    sweep->looking = pool_submit(sweep->engine->pool, look, looked, it);
    if (!sweep->looking) {
        free(it);
        timer_set(sweep->timer, RETRY_MS);
    }
}

struct sweep *sweep_new(struct engine *engine)
{
    struct sweep *sweep = calloc(1, sizeof(*sweep));
    if (sweep == NULL)
        abort();
    sweep->engine = engine;
    sweep->timer = timer_new(engine->loop, on_timer, sweep);
    timer_set(sweep->timer, EVERY_MS);
    return sweep;
}

void sweep_stop(struct sweep *sweep)
{
    sweep->stopped = true;
    timer_stop(sweep->timer);
}

bool sweep_busy(const struct sweep *sweep)
{
    return sweep->looking || sweep->count > 0;
}

void sweep_free(struct sweep *sweep)
{
    if (sweep == NULL)
        return;
    while (sweep->runs != NULL)
        run_free(sweep->runs);
    timer_free(sweep->timer);
    free(sweep);
}
