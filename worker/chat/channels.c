#include "chat/channels.h"

#include "chat/alerts.h"
#include "chat/channel_inbox.h"
#include "chat/channel_message.h"
#include "chat/engine.h"
#include "chat/meters.h"
#include "chat/seat.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"
#include "net/signed_post.h"
#include "tenant/channel_queue.h"
#include "tenant/channels.h"

#include <stdio.h>
#include <stdlib.h>

#define SLOTS      32   /* deliveries at a time */
#define ANSWER_MAX 64   /* turned into deliveries at a time */
#define SOON_MS    1000 /* where something waits for a moment */

struct delivery {
    struct channels *channels;
    bool used;
    struct outbound_request *request; /* NULL: over, or never begun */
    char id[37], org[37], channel[CHANNEL_NAME_MAX + 1];
    int64_t attempts;
    char error[SIGNED_POST_ERROR_SIZE]; /* "" = taken */
    bool last;
};

struct channels {
    struct engine *engine;
    struct timer *timer;
    struct delivery slots[SLOTS];
    /* The round: what is asked of PostgreSQL at once. */
    struct arena arena;
    struct channel_inbox inbox;
    int free_slots;
    PGresult *claimed;
    int64_t answered;
    enum db_status status;
    bool busy;  /* a round is under way */
    bool again; /* and another is wanted at once */
};

void channels_soon(struct channels *channels)
{
    if (channels == NULL)
        return;
    if (channels->busy)
        channels->again = true;
    else
        timer_set(channels->timer, 0);
}

/* -- a delivery is over ----------------------------------------------------------------------- */

static void run_settle(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct delivery *d = arg;
    const struct log_context ctx = {.org_id = d->org};
    bool taken = d->error[0] == '\0';
    enum db_status status =
        channel_settle(seat->db, d->org, d->id, taken ? NULL : d->error, d->last);
    if (status == DB_FAILED && !taken)
        status = channel_settle(seat->db, d->org, d->id, "not delivered", d->last);
    if (status != DB_OK)
        log_error(&ctx, "channel.not_settled", LOG_STR("id", d->id),
                  LOG_STR("error", db_error(seat->db)));
}

/* Where it could not be written down, the next attempt tells the receiver again. */
static void settle_done(void *arg, bool ran)
{
    struct delivery *d = arg;
    (void)ran;
    d->used = false;
    channels_soon(d->channels); /* the thread's next one may go */
}

static void settle(struct delivery *d)
{
    const struct log_context ctx = {.org_id = d->org};
    bool taken = d->error[0] == '\0';
    d->last = d->last || d->attempts >= CHANNEL_ATTEMPTS_MAX;
    metric_add(meters.channel_deliveries, taken ? "delivered" : "failed", 1);
    if (taken)
        log_info(&ctx, "channel.delivered", LOG_STR("channel", d->channel), LOG_STR("id", d->id));
    else
        log_warn(&ctx, "channel.not_delivered", LOG_STR("channel", d->channel),
                 LOG_STR("id", d->id), LOG_INT("attempt", d->attempts), LOG_STR("error", d->error));
    if (!pool_submit(d->channels->engine->pool, run_settle, settle_done, d))
        d->used = false;
}

static void on_end(void *arg, const struct outbound_response *response)
{
    struct delivery *d = arg;
    d->request = NULL;
    (void)signed_post_taken(response, d->error);
    settle(d);
}

/* -- a delivery begins ------------------------------------------------------------------------ */

/* What is missing may be set up meanwhile: it is tried again as every other. */
static void send_one(struct delivery *d, const PGresult *rows, int row)
{
    const char *url = db_text(rows, row, OUT_URL), *secret = NULL;
    struct buf body;
    struct arena a;
    arena_init(&a);
    buf_init(&body, CHANNEL_MESSAGE_MAX);
    if (url == NULL || !db_true(rows, row, OUT_ENABLED))
        snprintf(d->error, sizeof(d->error), "the channel is off, or has no outbound_url");
    else
        secret = channel_secret_open(&a, d->channels->engine->config->vault_keys, d->org,
                                     db_text(rows, row, OUT_CHANNEL_ID),
                                     db_text(rows, row, OUT_SECRET), d->error);
    if (secret != NULL && !channel_message_write(&body, rows, row))
        snprintf(d->error, sizeof(d->error), "it is too long");
    if (d->error[0] == '\0' && secret != NULL)
        d->request =
            signed_post_start(d->channels->engine->outbound, url, secret, d->id, &body, on_end, d);
    else
        settle(d);
    buf_free(&body);
    arena_wipe(&a);
}

static struct delivery *free_slot(struct channels *channels)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (!channels->slots[i].used)
            return &channels->slots[i];
    }
    return NULL;
}

static void send_all(struct channels *channels)
{
    const PGresult *rows = channels->claimed;
    for (int row = 0; rows != NULL && row < PQntuples(rows); row++) {
        struct delivery *d = free_slot(channels);
        if (d == NULL)
            abort(); /* no more were claimed */
        *d = (struct delivery){
            .channels = channels, .used = true, .attempts = db_int(rows, row, OUT_ATTEMPTS, 0)};
        snprintf(d->id, sizeof(d->id), "%s", db_text(rows, row, OUT_ID));
        snprintf(d->org, sizeof(d->org), "%s", db_text(rows, row, OUT_ORG));
        snprintf(d->channel, sizeof(d->channel), "%s", db_text(rows, row, OUT_CHANNEL));
        send_one(d, rows, row);
    }
    PQclear(channels->claimed);
    channels->claimed = NULL;
}

/* -- the round ----------------------------------------------------------------------------------
 */

static void run_round(void *resource, void *arg)
{
    struct pool_seat *seat = resource;
    struct channels *channels = arg;
    channels->status = DB_OK;
    if (channels->engine->has_session_key)
        channels->status = channel_inbox_step(seat->db, &channels->inbox);
    if (channels->status == DB_OK)
        channels->status = channel_answer(seat->db, ANSWER_MAX, &channels->answered);
    if (channels->status == DB_OK && channels->free_slots > 0)
        channels->status =
            channel_claim_deliveries(seat->db, channels->free_slots, &channels->claimed);
}

static void round_done(void *arg, bool ran)
{
    struct channels *channels = arg;
    struct channel_inbox *inbox = &channels->inbox;
    (void)ran;
    channels->busy = false;
    for (size_t i = 0; i < inbox->count; i++)
        news_send(&inbox->news[i], channels->engine->live);
    if (inbox->alert)
        alerts_soon(channels->engine->alerts);
    bool more =
        channels->again || inbox->count == CHANNEL_INBOX_MAX || channels->answered == ANSWER_MAX;
    bool later = inbox->later;
    send_all(channels);
    arena_free(&channels->arena);
    timer_set(channels->timer, more ? 0 : later ? SOON_MS : channels->engine->config->sync_ms);
}

static void on_timer(void *arg)
{
    struct channels *channels = arg;
    struct engine *engine = channels->engine;
    if (engine->draining)
        return;
    channels->free_slots = 0;
    for (size_t i = 0; i < SLOTS; i++)
        channels->free_slots += !channels->slots[i].used;
    channels->answered = 0;
    channels->again = false;
    channels->inbox = (struct channel_inbox){
        .config = engine->config, .session_key = engine->session_key, .arena = &channels->arena};
    channels->busy = pool_submit(engine->pool, run_round, round_done, channels);
    if (!channels->busy)
        timer_set(channels->timer, SOON_MS);
}

struct channels *channels_new(struct engine *engine)
{
    struct channels *channels = calloc(1, sizeof(*channels));
    if (channels == NULL)
        abort();
    channels->engine = engine;
    arena_init(&channels->arena);
    channels->timer = timer_new(engine->loop, on_timer, channels);
    timer_set(channels->timer, engine->config->sync_ms);
    return channels;
}

void channels_free(struct channels *channels)
{
    if (channels == NULL)
        return;
    for (size_t i = 0; i < SLOTS; i++) {
        if (channels->slots[i].request != NULL)
            outbound_cancel(channels->slots[i].request);
    }
    timer_free(channels->timer);
    PQclear(channels->claimed);
    arena_free(&channels->arena);
    free(channels);
}
