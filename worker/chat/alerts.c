#include "chat/alerts.h"

#include "chat/engine.h"
#include "chat/meters.h"
#include "chat/news.h"
#include "chat/seat.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"
#include "net/signed_post.h"
#include "tenant/alert.h"
#include "tenant/alert_secret.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUND_MAX 16 /* deliveries at a time */

struct delivery {
    struct alerts *alerts;
    struct alert *alert;
    struct outbound_request *request; /* NULL: over, or never begun */
    char secret[ALERT_SECRET_SIZE];
    char error[SIGNED_POST_ERROR_SIZE]; /* "" = taken */
};

struct alerts {
    struct engine *engine;
    struct timer *timer;
    /* The round: what was claimed, until the last of it is settled. */
    struct arena arena;
    struct delivery deliveries[ROUND_MAX];
    size_t count;
    size_t open;
    int64_t pending;
    PGresult *told; /* of it: what those who are signed in hear */
    enum db_status status;
    bool busy;  /* a round is under way */
    bool again; /* and another is wanted at once */
};

static void next_round(struct alerts *alerts, int64_t ms)
{
    arena_free(&alerts->arena);
    sodium_memzero(alerts->deliveries, sizeof(alerts->deliveries));
    alerts->count = alerts->open = 0;
    timer_set(alerts->timer, alerts->again ? 0 : ms);
    alerts->busy = alerts->again = false;
}

void alerts_soon(struct alerts *alerts)
{
    if (alerts == NULL)
        return;
    if (alerts->busy)
        alerts->again = true;
    else
        timer_set(alerts->timer, 0);
}

static void settled_one(struct alerts *alerts)
{
    alerts->open--;
    if (alerts->open == 0)
        next_round(alerts, alerts->count == ROUND_MAX ? 0 : alerts->engine->config->sync_ms);
}

/* -- an attempt is over ----------------------------------------------------------------------- */

/* An error that cannot be stored would leave the alert due for ever: another stands for it. */
static void run_settle(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct delivery *d = arg;
    const struct log_context ctx = {.org_id = d->alert->org};
    bool taken = d->error[0] == '\0';
    enum db_status status = alert_settle(seat->db, d->alert, taken ? NULL : d->error);
    if (status == DB_FAILED && !taken)
        status = alert_settle(seat->db, d->alert, "not delivered; why could not be stored");
    if (status != DB_OK)
        log_error(&ctx, "alert.not_settled", LOG_STR("kind", d->alert->kind),
                  LOG_STR("id", d->alert->id), LOG_STR("error", db_error(seat->db)));
}

/* Where it could not be written down, the next attempt tells the receiver again. */
static void settle_done(void *arg, bool ran)
{
    struct delivery *d = arg;
    (void)ran;
    settled_one(d->alerts);
}

static void settle(struct delivery *d)
{
    const struct log_context ctx = {.org_id = d->alert->org};
    bool taken = d->error[0] == '\0';
    metric_add(meters.alerts_delivered, taken ? "delivered" : "failed", 1);
    if (taken)
        log_info(&ctx, "alert.delivered", LOG_STR("kind", d->alert->kind),
                 LOG_STR("id", d->alert->id));
    else
        log_warn(&ctx, "alert.not_delivered", LOG_STR("kind", d->alert->kind),
                 LOG_STR("id", d->alert->id), LOG_INT("attempt", d->alert->attempts),
                 LOG_STR("error", d->error));
    if (!pool_submit(d->alerts->engine->pool, run_settle, settle_done, d))
        settled_one(d->alerts);
}

static void on_end(void *arg, const struct outbound_response *response)
{
    struct delivery *d = arg;
    d->request = NULL;
    (void)signed_post_taken(response, d->error);
    settle(d);
}

/* -- the round -----------------------------------------------------------------------------------
 */

static void send_one(struct delivery *d)
{
    struct buf body;
    buf_init(&body, ALERT_BODY_MAX);
    if (d->alert->url == NULL)
        snprintf(d->error, sizeof(d->error), "there is no webhook any more");
    else if (d->error[0] == '\0' && !alert_body(d->alert, &body))
        snprintf(d->error, sizeof(d->error), "it is too long");
    if (d->error[0] == '\0')
        d->request = signed_post_start(d->alerts->engine->outbound, d->alert->url, d->secret,
                                       d->alert->id, &body, on_end, d);
    else
        settle(d);
    buf_free(&body);
}

static void open_secrets(struct alerts *alerts)
{
    for (size_t i = 0; i < alerts->count; i++) {
        struct delivery *d = &alerts->deliveries[i];
        if (d->alert->url != NULL)
            alert_secret_open(alerts->engine->config->vault_keys, d->alert->org,
                              d->alert->sealed_secret != NULL ? d->alert->sealed_secret : "",
                              d->secret, d->error);
    }
}

static void run_sweep(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct alerts *alerts = arg;
    struct alert *claimed = NULL;
    int64_t raised;
    alerts->status = alert_sweep(seat->db, &raised);
    if (alerts->status == DB_OK)
        alerts->status = alert_announce(seat->db, ROUND_MAX, &alerts->told);
    if (alerts->status == DB_OK)
        alerts->status = alert_pending(seat->db, &alerts->pending);
    if (alerts->status == DB_OK && alerts->pending > 0)
        alerts->status = alert_claim(seat->db, &alerts->arena, ROUND_MAX, &claimed, &alerts->count);
    for (size_t i = 0; i < alerts->count; i++)
        alerts->deliveries[i] = (struct delivery){.alerts = alerts, .alert = &claimed[i]};
    open_secrets(alerts);
}

/* `announced` is committed: what is lost here, GET alerts still has. */
static void announce(struct alerts *alerts)
{
    for (int row = 0; alerts->told != NULL && row < PQntuples(alerts->told); row++) {
        struct news news;
        news_init(&news, &alerts->arena);
        news_org(&news, db_text(alerts->told, row, 0), FD_EVENT_ALERT,
                 db_text(alerts->told, row, 1));
        news_send(&news, alerts->engine->live);
    }
    PQclear(alerts->told);
    alerts->told = NULL;
}

static void sweep_done(void *arg, bool ran)
{
    struct alerts *alerts = arg;
    announce(alerts);
    metric_set(meters.alerts_pending, NULL, (double)alerts->pending);
    if (!ran || alerts->status != DB_OK || alerts->count == 0) {
        next_round(alerts, alerts->engine->config->sync_ms);
        return;
    }
    alerts->open = alerts->count;
    for (size_t i = 0, count = alerts->count; i < count; i++)
        send_one(&alerts->deliveries[i]);
}

static void on_timer(void *arg)
{
    struct alerts *alerts = arg;
    if (alerts->engine->draining)
        return;
    alerts->busy = true;
    if (!pool_submit(alerts->engine->pool, run_sweep, sweep_done, alerts))
        next_round(alerts, alerts->engine->config->sync_ms);
}

struct alerts *alerts_new(struct engine *engine)
{
    struct alerts *alerts = calloc(1, sizeof(*alerts));
    if (alerts == NULL)
        abort();
    alerts->engine = engine;
    arena_init(&alerts->arena);
    alerts->timer = timer_new(engine->loop, on_timer, alerts);
    timer_set(alerts->timer, engine->config->sync_ms);
    return alerts;
}

void alerts_free(struct alerts *alerts)
{
    if (alerts == NULL)
        return;
    for (size_t i = 0; i < alerts->count; i++) {
        if (alerts->deliveries[i].request != NULL)
            outbound_cancel(alerts->deliveries[i].request);
    }
    timer_free(alerts->timer);
    PQclear(alerts->told);
    arena_free(&alerts->arena);
    sodium_memzero(alerts->deliveries, sizeof(alerts->deliveries));
    free(alerts);
}
