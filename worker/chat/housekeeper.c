#include "chat/housekeeper.h"

#include "chat/engine.h"
#include "chat/meters.h"
#include "chat/seat.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"
#include "tenant/housekeeping.h"
#include "tenant/rollup.h"

#include <stdlib.h>

#define SLICE_MS 300 /* of a database thread's time, then others have their turn */
#define AGAIN_MS 200 /* where there is more to do */
#define SLOW_S   60  /* how often tools are counted, and resolutions decided */
#define EVERY_S  3600
#define TRIES    3 /* where something is in the way */

struct housekeeper {
    struct engine *engine;
    struct timer *timer;
    struct turn turn;
    struct housekeeping pass;
    bool passing;
    int64_t slow_at; /* monotonic ms */
    int tries;       /* in a row that something was in the way of */
    /* of the slice that runs */
    enum db_status status;
    bool more;     /* to do at once */
    bool finished; /* the pass */
};

/* -- on a thread ---------------------------------------------------------------------------------
 */

static void count(struct housekeeper *h, struct db *db, int64_t until)
{
    bool more = true, undecided = true;

    while (h->status == DB_OK && more && clock_mono_ms() < until)
        h->status = rollup_conversations(db, &more);
    h->more = more;
    if (h->status != DB_OK || clock_mono_ms() < h->slow_at)
        return;
    while (h->status == DB_OK && undecided && clock_mono_ms() < until)
        h->status = rollup_resolutions(db, &undecided);
    if (h->status == DB_OK && !undecided) {
        h->status = rollup_tools(db);
        h->slow_at = clock_mono_ms() + SLOW_S * INT64_C(1000);
    }
    h->more = more || undecided;
}

static void go_on(struct housekeeper *h, struct db *db, int64_t until)
{
    bool done = false;

    if (!h->passing && h->status == DB_OK)
        h->status = housekeeping_due(db, EVERY_S, &h->passing);
    while (h->passing && h->status == DB_OK && !done && clock_mono_ms() < until)
        h->status = housekeeping_step(db, &h->turn, &h->pass, &done);
    h->finished = done;
    h->more = h->more || (h->passing && !done);
}

static void run(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct housekeeper *h = arg;
    int64_t until = clock_mono_ms() + SLICE_MS;
    bool mine;

    h->more = h->finished = false;
    h->status = turn_take(seat->db, &h->turn, &mine);
    if (h->status != DB_OK || !mine)
        return;
    count(h, seat->db, until);
    go_on(h, seat->db, until);
    turn_give(seat->db, &h->turn);
}

/* -- on the loop ---------------------------------------------------------------------------------
 */

static void tell(const struct retention_counts *counts)
{
    metric_add(meters.deleted, "messages", (double)counts->messages);
    metric_add(meters.deleted, "conversations", (double)counts->conversations);
    metric_add(meters.deleted, "jobs", (double)counts->jobs);
    metric_add(meters.deleted, "tool_executions", (double)counts->tool_executions);
    metric_add(meters.deleted, "test_runs", (double)counts->test_runs);
    metric_add(meters.deleted, "records", (double)counts->records);
    metric_add(meters.deleted, "partitions", (double)counts->partitions);
    log_info(NULL, "retention.done", LOG_INT("messages", counts->messages),
             LOG_INT("conversations", counts->conversations), LOG_INT("jobs", counts->jobs),
             LOG_INT("tool_executions", counts->tool_executions),
             LOG_INT("test_runs", counts->test_runs), LOG_INT("records", counts->records),
             LOG_INT("archived", counts->archived), LOG_INT("partitions", counts->partitions));
}

/* What failed is tried again in an hour, and its rows are as old then as they are now. */
static void end_pass(struct housekeeper *h)
{
    metric_add(meters.housekeeping_failures, NULL, (double)h->pass.failed);
    tell(&h->pass.counts);
    housekeeping_free(&h->pass);
    h->passing = false;
}

/* What is in the way is gone the next time, or it is no better than what fails. */
static bool is_failure(struct housekeeper *h)
{
    h->tries = h->status == DB_BUSY ? h->tries + 1 : 0;
    if (h->status != DB_BUSY)
        return h->status != DB_OK;
    return h->tries % TRIES == 0;
}

static void done(void *arg, bool ran)
{
    struct housekeeper *h = arg;
    bool failed = ran && is_failure(h);

    if (failed) {
        metric_add(meters.housekeeping_failures, NULL, 1);
        log_warn(NULL, "housekeeping.failed",
                 LOG_STR("why", h->status == DB_BUSY ? "it takes too long, or is in use"
                                                     : "see db.failed"));
    }
    if (ran && h->passing && (h->finished || (failed && h->status != DB_LOST)))
        end_pass(h);
    bool at_once = h->more && (!ran || h->status == DB_OK);
    timer_set(h->timer, at_once ? AGAIN_MS : h->engine->config->housekeeping_ms);
}

static void on_timer(void *arg)
{
    struct housekeeper *h = arg;

    if (h->engine->draining)
        return;
    if (!pool_submit(h->engine->pool, run, done, h))
        timer_set(h->timer, h->engine->config->housekeeping_ms);
}

struct housekeeper *housekeeper_new(struct engine *engine)
{
    struct housekeeper *h = calloc(1, sizeof(*h));
    if (h == NULL)
        abort();
    h->engine = engine;
    h->turn.name = RETENTION_TURN;
    h->pass.archive = archive_place_of(engine->config);
    h->slow_at = clock_mono_ms();
    h->timer = timer_new(engine->loop, on_timer, h);
    timer_set(h->timer, engine->config->housekeeping_ms);
    return h;
}

void housekeeper_free(struct housekeeper *h)
{
    if (h == NULL)
        return;
    timer_free(h->timer);
    housekeeping_free(&h->pass);
    free(h);
}
