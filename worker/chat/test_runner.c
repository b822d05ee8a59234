#include "chat/test_runner.h"

#include "chat/engine.h"
#include "chat/seat.h"
#include "chat/test_run.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"
#include "db/turn.h"

#include <stdlib.h>

#define IDLE_MS 2000 /* until a new run is seen */
#define BUSY_MS 250

static const struct db_statement open_statement = {
    "test_runs_open", "SELECT org_id, run_id FROM platform_test_runs()", 0};

struct test_runner {
    struct engine *engine;
    struct timer *timer;
    struct turn turn;
    bool busy; /* there are runs */
};

static void step_all(struct test_runner *runner, struct db *db, const PGresult *runs)
{
    for (int i = 0; i < PQntuples(runs); i++) {
        const char *org = db_text(runs, i, 0), *id = db_text(runs, i, 1);
        const struct log_context ctx = {.org_id = org};
        struct arena a;
        arena_init(&a);
        if (test_run_step(db, runner->engine->config, &a, org, id) != DB_OK)
            log_warn(&ctx, "test_run.not_stepped", LOG_STR("run", id));
        arena_free(&a);
    }
}

static void run(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct test_runner *runner = arg;
    PGresult *runs;
    bool mine;

    runner->busy = false;
    if (db_query(seat->db, NULL, &open_statement, NULL, &runs) != DB_OK)
        return;
    runner->busy = PQntuples(runs) > 0;
    if (runner->busy && turn_take(seat->db, &runner->turn, &mine) == DB_OK && mine) {
        step_all(runner, seat->db, runs);
        turn_give(seat->db, &runner->turn);
    }
    PQclear(runs);
}

static void done(void *arg, bool ran)
{
    struct test_runner *runner = arg;

    (void)ran;
    timer_set(runner->timer, runner->busy ? BUSY_MS : IDLE_MS);
}

static void on_timer(void *arg)
{
    struct test_runner *runner = arg;

    if (runner->engine->draining)
        return;
    if (!pool_submit(runner->engine->pool, run, done, runner))
        timer_set(runner->timer, IDLE_MS);
}

struct test_runner *test_runner_new(struct engine *engine)
{
    struct test_runner *runner = calloc(1, sizeof(*runner));
    if (runner == NULL)
        abort();
    runner->engine = engine;
    runner->turn.name = "test-runs";
    runner->timer = timer_new(engine->loop, on_timer, runner);
    timer_set(runner->timer, IDLE_MS);
    return runner;
}

void test_runner_free(struct test_runner *runner)
{
    if (runner == NULL)
        return;
    timer_free(runner->timer);
    free(runner);
}
