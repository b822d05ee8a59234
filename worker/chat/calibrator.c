#include "chat/calibrator.h"

#include "chat/seat.h"
#include "core/loop.h"
#include "core/pool.h"
#include "llm/calibration.h"

#include <stdio.h>
#include <stdlib.h>

#define EVERY_SYNCS 6 /* once a minute, as synchronisations come */

struct calibrator {
    struct engine *engine;
    struct timer *timer;
    struct calibration known;
    /* for the thread: what is to be told; then what there is */
    struct calibration told;
    bool out;
    enum db_status status;
};

/* Others have learned as well: samples of both count. */
static const struct db_statement tell_statement = {
    "calibration_tell",
    "INSERT INTO model_calibration AS c (model_id, ratio, samples)"
    " VALUES ($1, $2::float8, $3::bigint)"
    " ON CONFLICT (model_id) DO UPDATE SET updated_at = now(), samples = c.samples + $3::bigint,"
    "   ratio = c.ratio + (EXCLUDED.ratio - c.ratio)"
    "           * least(0.5, $3::float8 / (c.samples + $3::float8))",
    3};
static const struct db_statement read_statement = {
    "calibration_read",
    "SELECT model_id, ratio, samples FROM model_calibration ORDER BY updated_at DESC LIMIT $1::int",
    1};

static enum db_status tell_one(struct db *db, const struct calibration_model *model)
{
    char ratio[32], samples[DB_NUMBER_SIZE];
    snprintf(ratio, sizeof(ratio), "%.6f", model->ratio);
    const char *params[] = {model->model, ratio, db_number(samples, model->untold)};
    return db_query(db, NULL, &tell_statement, params, NULL);
}

static void run(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct calibrator *c = arg;
    char most[DB_NUMBER_SIZE];
    const char *params[] = {db_number(most, CALIBRATION_MODELS_MAX)};
    PGresult *rows;
    c->status = DB_OK;
    for (size_t i = 0; i < c->told.count && c->status == DB_OK; i++) {
        if (c->told.list[i].untold > 0)
            c->status = tell_one(seat->db, &c->told.list[i]);
    }
    if (c->status == DB_OK)
        c->status = db_query(seat->db, NULL, &read_statement, params, &rows);
    if (c->status != DB_OK)
        return;
    c->told.count = 0;
    for (int row = 0; row < PQntuples(rows); row++)
        calibration_take(&c->told, db_text(rows, row, 0), db_double(rows, row, 1, 1),
                         db_int(rows, row, 2, 0));
    PQclear(rows);
}

static void done(void *arg, bool ran)
{
    struct calibrator *c = arg;
    c->out = false;
    if (ran && c->status == DB_OK) {
        for (size_t i = 0; i < c->told.count; i++)
            calibration_take(&c->known, c->told.list[i].model, c->told.list[i].ratio,
                             c->told.list[i].samples);
    }
    timer_set(c->timer, (int64_t)c->engine->config->sync_ms * EVERY_SYNCS);
}

static void on_timer(void *arg)
{
    struct calibrator *c = arg;
    if (c->out || c->engine->draining)
        return;
    c->told = c->known;
    c->out = pool_submit(c->engine->pool, run, done, c);
    if (!c->out) {
        timer_set(c->timer, c->engine->config->sync_ms);
        return;
    }
    for (size_t i = 0; i < c->known.count; i++)
        c->known.list[i].untold = 0;
}

void calibrator_learn(struct calibrator *calibrator, const char *model, int64_t estimated,
                      int64_t counted)
{
    calibration_learn(&calibrator->known, model, estimated, counted);
}

int64_t calibrator_tokens(const struct calibrator *calibrator, const char *model, int64_t estimated)
{
    return calibration_tokens(&calibrator->known, model, estimated);
}

struct calibrator *calibrator_new(struct engine *engine)
{
    struct calibrator *c = calloc(1, sizeof(*c));
    if (c == NULL)
        abort();
    c->engine = engine;
    c->timer = timer_new(engine->loop, on_timer, c);
    timer_set(c->timer, 0);
    return c;
}

void calibrator_free(struct calibrator *calibrator)
{
    if (calibrator == NULL)
        return;
    timer_free(calibrator->timer);
    free(calibrator);
}
