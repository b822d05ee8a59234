/*
 * Alert: what an organisation is told about its budget and its quota, once a month each,
 * about models without a price, and about visitors who ask for a person; kept in a table and sent
 * by a signed webhook, at least once, with an id by which the receiver knows a second time.
 */
#ifndef FD_TENANT_ALERT_H
#define FD_TENANT_ALERT_H

#include "core/arena.h"
#include "core/buf.h"
#include "db/db.h"

#define ALERT_ATTEMPTS_MAX  8
#define ALERT_FIRST_PAUSE_S 60 /* then four times as long each */
#define ALERT_LAST_PAUSE_S  21600
#define ALERT_BODY_MAX      8192
#define ALERT_LIST_MAX      200

/* One to deliver; in the arena. */
struct alert {
    const char *id;
    const char *org;
    const char *kind;    /* "budget_80", "quota_100", "price_unknown", "handoff.requested" */
    const char *subject; /* "" or a model, or which request */
    const char *month;   /* "2026-11" */
    const char *detail;  /* a JSON object */
    const char *created_at;
    int attempts;              /* this one included */
    const char *url;           /* NULL: the webhook is gone meanwhile */
    const char *sealed_secret; /* hexadecimal: tenant/alert_secret.h */
};

/* Raises what the month's usage has reached. */
enum db_status alert_sweep(struct db *db, int64_t *raised);
/* Takes up to `most` that are due; nobody else gets them before the next attempt's time. */
enum db_status alert_claim(struct db *db, struct arena *a, int most, struct alert **alerts,
                           size_t *count);
/* How an attempt went: error NULL = taken; else tried again later, or given up. */
enum db_status alert_settle(struct db *db, const struct alert *alert, const char *error);
enum db_status alert_pending(struct db *db, int64_t *pending);
/* Up to `most` of which those who are signed in have not heard, told once: rows of the
 * organisation and the event `alert`. */
enum db_status alert_announce(struct db *db, int most, PGresult **alerts);

/* {id, event, kind, org_id, month, subject?, detail, created_at}: the same each time; event is
 * "alert", or "handoff.requested". */
bool alert_body(const struct alert *alert, struct buf *out);

/* {"alerts": [...]}, the latest first. */
enum db_status alert_list(struct db *db, const char *org, struct buf *out);

#endif
