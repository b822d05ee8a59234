/*
 * Usage: what an organisation used in a month and what it is charged for it, from
 * api_usage, which is kept for ever. An invoice has the month's calls by model and
 * markup; it is the same whenever it is made once the month is over, because a markup
 * holds from its day on.
 */
#ifndef FD_TENANT_USAGE_H
#define FD_TENANT_USAGE_H

#include "core/arena.h"
#include "core/buf.h"
#include "db/db.h"

#define USAGE_EXPORT_MAX 67108864 /* bytes */

struct usage_line {
    const char *date;  /* of a report: "2026-11-21"; NULL in an invoice */
    const char *model; /* as the provider calls it */
    const char *name;  /* for people */
    int64_t conversations;
    int64_t messages;
    int64_t tokens_input;
    int64_t tokens_output;
    int64_t tool_calls;
    int64_t unpriced_calls; /* whose price nobody knew: they are not in the cost */
    int64_t cost_micro;
    const char *markup_percent; /* "12.50"; of an invoice */
    int64_t charge_micro;       /* the cost with the markup, rounded half up */
};

struct usage {
    const char *org;
    const char *org_name;
    const char *month; /* "2026-11" */
    bool invoice;
    bool open; /* the month is not over */
    struct usage_line *lines;
    size_t count;
    struct usage_line total;
};

/* month NULL: the current one, UTC. DB_FAILED with db_error(): the month is not one, or
 * there is no such organisation. */
enum db_status usage_report(struct db *db, struct arena *a, const char *org, const char *month,
                            struct usage *usage);
enum db_status usage_invoice(struct db *db, struct arena *a, const char *org, const char *month,
                             struct usage *usage);
bool usage_month_valid(const char *month); /* "2026-11" */

bool usage_json(const struct usage *usage, struct buf *out);
bool usage_csv(const struct usage *usage, struct buf *out);

/* -- the rate card ------------------------------------------------------------------------ */

/* org NULL: the platform's; model "*": every model; from NULL: today, UTC. DB_FAILED with
 * db_error(): which value is wrong. */
struct usage_rate {
    const char *org;
    const char *model;
    const char *markup_percent; /* "12.5", "-10" */
    const char *from;           /* "2026-11-01" */
};
enum db_status usage_rate_set(struct db *db, const struct usage_rate *rate);
/* The organisation's and the platform's; org NULL: only the platform's. Columns: org_id,
 * model_id, effective_from, markup_percent. */
enum db_status usage_rates(struct db *db, const char *org, PGresult **rates);

#endif
