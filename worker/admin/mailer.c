#include "admin/mailer.h"

#include "core/log.h"
#include "core/loop.h"
#include "core/pool.h"
#include "net/signed_post.h"
#include "tenant/reset_mail.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRANDS_MAX 16  /* requests at a time */
#define HOLD_S      300 /* longer than all tries take */

static const int pauses_ms[] = {2000, 10000, 30000}; /* before the second try, the third, ... */
#define TRIES_MAX (sizeof(pauses_ms) / sizeof(pauses_ms[0]) + 1)

struct letter {
    struct errand *errand;
    const struct reset_mail *mail;
    size_t tries;
    struct timer *again;
    struct outbound_request *sent; /* NULL: not under way */
};

/* One request and its letters, until the last of them is sent or given up. */
struct errand {
    struct mailer *mailer;
    struct errand *next, **link;
    struct arena arena;
    struct reset_taken taken;
    struct letter letters[RESET_MEANT_MAX];
    size_t open;
};

struct mailer {
    struct loop *loop;
    struct pool *pool;
    const struct config *config;
    struct outbound *outbound;
    struct timer *timer;
    struct errand *errands;
    size_t count;
    bool taking; /* one of them is being taken */
    bool again;  /* and there may be more */
    bool stopped;
};

bool mailer_is_set_up(const struct config *config)
{
    return config->reset_webhook_url != NULL;
}

bool mailer_is_whole(const struct config *config, char error[256])
{
    const char *secret = config->reset_webhook_secret;

    if (!mailer_is_set_up(config) ||
        (config->public_url != NULL && secret != NULL && strlen(secret) >= MAILER_SECRET_MIN))
        return true;
    snprintf(error, 256,
             "FRONTDESK_RESET_WEBHOOK_URL is set: FRONTDESK_RESET_WEBHOOK_SECRET must have %d "
             "characters or more, and FRONTDESK_PUBLIC_URL must say where the links lead",
             MAILER_SECRET_MIN);
    return false;
}

static struct errand *add_errand(struct mailer *mailer)
{
    struct errand *errand = calloc(1, sizeof(*errand));
    if (errand == NULL)
        abort();
    errand->mailer = mailer;
    arena_init(&errand->arena);
    errand->link = &mailer->errands;
    errand->next = mailer->errands;
    if (errand->next != NULL)
        errand->next->link = &errand->next;
    mailer->errands = errand;
    mailer->count++;
    return errand;
}

static void drop_errand(struct errand *errand)
{
    for (size_t i = 0; i < errand->taken.count; i++) {
        if (errand->letters[i].sent != NULL)
            outbound_cancel(errand->letters[i].sent);
        timer_free(errand->letters[i].again);
    }
    *errand->link = errand->next;
    if (errand->next != NULL)
        errand->next->link = errand->link;
    errand->mailer->count--;
    arena_wipe(&errand->arena);
    sodium_memzero(errand, sizeof(*errand));
    free(errand);
}

/* -- it is over ----------------------------------------------------------------------------- */

static void run_end(void *resource, void *arg)
{
    const struct errand *errand = arg;

    if (reset_mail_end(resource, errand->taken.request) != DB_OK)
        log_error(NULL, "reset_mail.not_ended", LOG_STR("error", db_error(resource)));
}

static void end_done(void *arg, bool ran)
{
    struct errand *errand = arg;
    struct mailer *mailer = errand->mailer;

    (void)ran;
    drop_errand(errand);
    mailer_soon(mailer);
}

static void end_errand(struct errand *errand)
{
    if (!pool_submit(errand->mailer->pool, run_end, end_done, errand))
        end_done(errand, false);
}

/* -- one letter ----------------------------------------------------------------------------- */

static void letter_over(struct letter *letter)
{
    if (--letter->errand->open == 0)
        end_errand(letter->errand);
}

static void fail(struct letter *letter, const char *error)
{
    const struct log_context ctx = {.org_id = letter->mail->org};

    if (letter->tries < TRIES_MAX) {
        log_warn(&ctx, "reset_mail.try_failed", LOG_STR("user", letter->mail->user),
                 LOG_STR("error", error));
        timer_set(letter->again, pauses_ms[letter->tries - 1]);
        return;
    }
    log_error(&ctx, "reset_mail.not_delivered", LOG_STR("user", letter->mail->user),
              LOG_STR("error", error));
    letter_over(letter);
}

static void on_end(void *arg, const struct outbound_response *response)
{
    struct letter *letter = arg;
    const struct log_context ctx = {.org_id = letter->mail->org};
    char error[SIGNED_POST_ERROR_SIZE];

    letter->sent = NULL;
    if (!signed_post_taken(response, error)) {
        fail(letter, error);
        return;
    }
    log_info(&ctx, "reset_mail.delivered", LOG_STR("user", letter->mail->user));
    letter_over(letter);
}

static void send_letter(void *arg)
{
    struct letter *letter = arg;
    const struct mailer *mailer = letter->errand->mailer;
    const struct config *config = mailer->config;
    struct buf body;

    letter->tries++;
    buf_init(&body, RESET_MAIL_BODY_MAX);
    if (reset_mail_body(letter->mail, config->public_url, &body)) {
        letter->sent = signed_post_start(mailer->outbound, config->reset_webhook_url,
                                         config->reset_webhook_secret, letter->mail->id, &body,
                                         on_end, letter);
    } else {
        letter->tries = TRIES_MAX;
        fail(letter, "it is too long");
    }
    buf_wipe(&body);
}

/* -- what waits ----------------------------------------------------------------------------- */

static void run_take(void *resource, void *arg)
{
    struct errand *errand = arg;

    if (reset_mail_take(resource, &errand->arena, HOLD_S, &errand->taken) == DB_OK)
        return;
    log_error(NULL, "reset_mail.not_taken", LOG_STR("error", db_error(resource)));
    errand->taken = (struct reset_taken){.request = NULL};
}

static void start_letters(struct errand *errand)
{
    size_t count = errand->open = errand->taken.count;

    if (count == 0)
        end_errand(errand);
    for (size_t i = 0; i < count; i++) {
        struct letter *letter = &errand->letters[i];
        *letter = (struct letter){.errand = errand, .mail = &errand->taken.mails[i]};
        letter->again = timer_new(errand->mailer->loop, send_letter, letter);
    }
    for (size_t i = 0; i < count; i++)
        send_letter(&errand->letters[i]);
}

static void take_done(void *arg, bool ran)
{
    struct errand *errand = arg;
    struct mailer *mailer = errand->mailer;
    bool more = mailer->again, none = !ran || errand->taken.request == NULL;

    mailer->taking = mailer->again = false;
    if (none)
        drop_errand(errand);
    else
        start_letters(errand);
    if (!mailer->stopped)
        timer_set(mailer->timer, none && !more ? mailer->config->sync_ms : 0);
}

static void on_timer(void *arg)
{
    struct mailer *mailer = arg;

    if (mailer->taking || mailer->count == ERRANDS_MAX)
        return;
    mailer->taking = true;
    struct errand *errand = add_errand(mailer);
    if (!pool_submit(mailer->pool, run_take, take_done, errand))
        take_done(errand, false);
}

void mailer_soon(struct mailer *mailer)
{
    if (mailer->taking)
        mailer->again = true;
    else if (!mailer->stopped)
        timer_set(mailer->timer, 0);
}

/* -- life ----------------------------------------------------------------------------------- */

struct mailer *mailer_new(struct loop *loop, struct pool *pool, const struct config *config)
{
    if (!mailer_is_set_up(config))
        return NULL;
    struct mailer *mailer = calloc(1, sizeof(*mailer));
    if (mailer == NULL)
        abort();
    *mailer = (struct mailer){.loop = loop, .pool = pool, .config = config};
    mailer->outbound = outbound_new(loop, config->outbound_allow);
    if (mailer->outbound == NULL)
        abort();
    mailer->timer = timer_new(loop, on_timer, mailer);
    timer_set(mailer->timer, 0);
    return mailer;
}

void mailer_stop(struct mailer *mailer)
{
    mailer->stopped = true;
    timer_stop(mailer->timer);
}

void mailer_free(struct mailer *mailer)
{
    if (mailer == NULL)
        return;
    while (mailer->errands != NULL)
        drop_errand(mailer->errands);
    outbound_free(mailer->outbound);
    timer_free(mailer->timer);
    free(mailer);
}
