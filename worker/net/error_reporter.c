#include "net/error_reporter.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "net/error_envelope.h"
#include "net/http.h"
#include "protocol/ids.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_SIZE    64
#define LINE_SIZE    4096
#define WAITING_MAX  16
#define KINDS_MAX    64
#define LOOK_MS      1000
#define SAME_MS      60000
#define SEND_MS      10000
#define RUNNING_MAX  4
#define BACK_OFF_MS  60000
#define ENVELOPE_MAX 16384

struct report {
    char name[NAME_SIZE];
    char role[16];
    char line[LINE_SIZE];
    int64_t at_ms;
    int64_t unreported;
};

struct kind {
    char name[NAME_SIZE];
    int64_t reported_at; /* monotonic */
    int64_t unreported;
};

struct error_reporter {
    struct error_dsn dsn;
    struct http_client *client;
    struct timer *timer;
    char server[256];

    pthread_mutex_t lock; /* of what the log's threads write: */
    struct report waiting[WAITING_MAX];
    int waiting_count;
    struct kind kinds[KINDS_MAX];
    int kind_count;

    int running;
    int64_t not_before; /* the tracker asked for quiet, or is away */
};

/* NULL: the table is full, which takes more kinds of errors than the code has. */
static struct kind *kind_of(struct error_reporter *reporter, const char *name)
{
    for (int i = 0; i < reporter->kind_count; i++) {
        if (strcmp(reporter->kinds[i].name, name) == 0)
            return &reporter->kinds[i];
    }
    if (reporter->kind_count == KINDS_MAX)
        return NULL;
    struct kind *kind = &reporter->kinds[reporter->kind_count++];
    *kind = (struct kind){.reported_at = -SAME_MS};
    snprintf(kind->name, sizeof(kind->name), "%s", name);
    return kind;
}

/* On whatever thread; the lock is held. */
static void keep(struct error_reporter *reporter, const struct log_line *line)
{
    struct kind *kind = kind_of(reporter, line->event);
    int64_t now = clock_mono_ms();

    if (kind == NULL)
        return;
    if (now - kind->reported_at < SAME_MS || reporter->waiting_count == WAITING_MAX ||
        line->len >= LINE_SIZE) {
        kind->unreported++;
        return;
    }
    struct report *report = &reporter->waiting[reporter->waiting_count++];
    snprintf(report->name, sizeof(report->name), "%s", kind->name);
    snprintf(report->role, sizeof(report->role), "%s", line->role);
    memcpy(report->line, line->text, line->len);
    report->line[line->len] = '\0';
    report->at_ms = clock_wall_ms();
    report->unreported = kind->unreported;
    kind->unreported = 0;
    kind->reported_at = now;
}

static void on_log_error(void *arg, const struct log_line *line)
{
    struct error_reporter *reporter = arg;

    pthread_mutex_lock(&reporter->lock);
    keep(reporter, line);
    pthread_mutex_unlock(&reporter->lock);
}

/* A warning: an error would be reported in its turn. */
static void on_end(void *arg, enum http_failure failure, int status, const char *error)
{
    struct error_reporter *reporter = arg;

    reporter->running--;
    if (failure == HTTP_OK && status >= 200 && status < 300)
        return;
    reporter->not_before = clock_mono_ms() + BACK_OFF_MS;
    log_warn(NULL, "report.not_sent", LOG_INT("status", status),
             LOG_STR("error", failure == HTTP_OK ? NULL : error));
}

static void send_report(struct error_reporter *reporter, const struct report *report)
{
    const char *headers[] = {"Content-Type: application/x-sentry-envelope", reporter->dsn.auth,
                             NULL};
    unsigned char random[16];
    char id[33];
    struct error_event event = {.id = id,
                                .at_ms = report->at_ms,
                                .role = report->role,
                                .server = reporter->server,
                                .name = report->name,
                                .line = report->line,
                                .unreported = report->unreported};
    struct buf body;

    fd_random(random, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(id + 2 * i, 3, "%02x", random[i]);
    buf_init(&body, ENVELOPE_MAX);
    error_envelope(&body, &event);
    struct http_options options = {.method = "POST",
                                   .url = reporter->dsn.endpoint,
                                   .headers = headers,
                                   .body = body.data,
                                   .body_len = body.len,
                                   .connect_ms = SEND_MS,
                                   .total_ms = SEND_MS,
                                   .max_body = ENVELOPE_MAX,
                                   .on_end = on_end,
                                   .arg = reporter};
    if (!body.over && http_start(reporter->client, &options) != NULL)
        reporter->running++;
    buf_free(&body);
}

/* False: there is none. The latest first: which is which, the time says. */
static bool take(struct error_reporter *reporter, struct report *report)
{
    pthread_mutex_lock(&reporter->lock);
    bool any = reporter->waiting_count > 0;
    if (any)
        *report = reporter->waiting[--reporter->waiting_count];
    pthread_mutex_unlock(&reporter->lock);
    return any;
}

static void look(void *arg)
{
    struct error_reporter *reporter = arg;
    struct report report;

    while (clock_mono_ms() >= reporter->not_before && reporter->running < RUNNING_MAX &&
           take(reporter, &report))
        send_report(reporter, &report);
    timer_set(reporter->timer, LOOK_MS);
}

struct error_reporter *error_reporter_new(struct loop *loop, const char *dsn, char error[256])
{
    struct error_reporter *reporter = calloc(1, sizeof(*reporter));

    if (reporter == NULL) {
        snprintf(error, 256, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&reporter->lock, NULL);
    if (!error_dsn_parse(&reporter->dsn, dsn, error)) {
        error_reporter_free(reporter);
        return NULL;
    }
    reporter->client = http_client_new(loop);
    reporter->timer = timer_new(loop, look, reporter);
    if (reporter->client == NULL || reporter->timer == NULL) {
        snprintf(error, 256, "out of memory");
        error_reporter_free(reporter);
        return NULL;
    }
    if (gethostname(reporter->server, sizeof(reporter->server) - 1) != 0)
        reporter->server[0] = '\0';
    log_on_error(on_log_error, reporter);
    timer_set(reporter->timer, LOOK_MS);
    return reporter;
}

void error_reporter_free(struct error_reporter *reporter)
{
    if (reporter == NULL)
        return;
    log_on_error(NULL, NULL);
    timer_free(reporter->timer);
    if (reporter->client != NULL)
        http_client_free(reporter->client);
    error_dsn_free(&reporter->dsn);
    pthread_mutex_destroy(&reporter->lock);
    free(reporter);
}
