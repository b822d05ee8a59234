#include "chat/calibrator.h"

#include "chat/calibration_store.h"
#include "chat/seat.h"
#include "core/loop.h"
#include "core/pool.h"

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

static void run(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct calibrator *c = arg;
    c->status = calibration_tell(seat->db, &c->told);
    if (c->status == DB_OK)
        c->status = calibration_read(seat->db, &c->told);
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
