#include "tenant/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* $2 NULL: the month that it is. */
#define MONTH "coalesce(to_date($2::text || '-01', 'YYYY-MM-DD'), usage_month())"
#define SUMS                                                                                       \
    "sum(conversation_count), sum(message_count), sum(tokens_input), sum(tokens_output),"          \
    "sum(tool_calls_count), sum(unpriced_calls), sum(cost_estimate)::bigint"
#define ROWS                                                                                       \
    "  FROM api_usage u LEFT JOIN model_catalog c USING (model_id)"                                \
    " WHERE u.org_id = $1::uuid AND u.date >= " MONTH "   AND u.date < (" MONTH                    \
    " + interval '1 month')::date"

static const struct db_statement report = {
    "usage_report",
    "SELECT u.date, u.model_id, coalesce(c.name, u.model_id), " SUMS
    ", NULL, sum(cost_estimate)::bigint" ROWS
    " GROUP BY u.date, u.model_id, c.name ORDER BY u.date, u.model_id",
    2};
static const struct db_statement invoice = {
    "usage_invoice",
    "SELECT NULL, u.model_id, coalesce(c.name, u.model_id), " SUMS
    ", markup, round(sum(cost_estimate - own_cost) * (100 + markup) / 100)::bigint"
    "  FROM (SELECT u.*, rate_card_markup(u.org_id, u.model_id, u.date) AS markup"
    "          FROM api_usage u"
    "         WHERE u.org_id = $1::uuid AND u.date >= " MONTH "           AND u.date < (" MONTH
    " + interval '1 month')::date) u"
    "  LEFT JOIN model_catalog c USING (model_id)"
    " GROUP BY u.model_id, c.name, markup ORDER BY u.model_id, markup",
    2};
static const struct db_statement heading = {"usage_heading",
                                            "SELECT o.id, o.name, to_char(" MONTH
                                            ", 'YYYY-MM'), " MONTH " >= usage_month()"
                                            "  FROM organizations o WHERE o.id = $1::uuid",
                                            2};

bool usage_month_valid(const char *month)
{
    int year, number, len = 0;

    return strlen(month) == 7 && strspn(month, "0123456789-") == 7 && month[4] == '-' &&
           sscanf(month, "%4d-%2d%n", &year, &number, &len) == 2 && len == 7 && year >= 2000 &&
           number >= 1 && number <= 12;
}

static enum db_status read_heading(struct db *db, struct arena *a, const char *const *params,
                                   struct usage *usage)
{
    PGresult *row;

    enum db_status status = db_query(db, params[0], &heading, params, &row);
    if (status != DB_OK) {
        return status;
    }
    if (PQntuples(row) == 1) {
        usage->org = arena_strdup(a, db_text(row, 0, 0));
        usage->org_name = arena_strdup(a, db_text(row, 0, 1));
        usage->month = arena_strdup(a, db_text(row, 0, 2));
        usage->open = db_true(row, 0, 3);
    } else {
        db_explain(db, "there is no such organisation");
        status = DB_FAILED;
    }
    PQclear(row);
    return status;
}

static void add_to_total(struct usage_line *total, const struct usage_line *line)
{
    total->conversations += line->conversations;
    total->messages += line->messages;
    total->tokens_input += line->tokens_input;
    total->tokens_output += line->tokens_output;
    total->tool_calls += line->tool_calls;
    total->unpriced_calls += line->unpriced_calls;
    total->cost_micro += line->cost_micro;
    total->charge_micro += line->charge_micro;
}

static void read_lines(struct arena *a, const PGresult *rows, struct usage *usage)
{
    usage->count = (size_t)PQntuples(rows);
    usage->lines = arena_zalloc(a, (usage->count + 1) * sizeof(*usage->lines));
    for (int row = 0; row < (int)usage->count; row++) {
        struct usage_line *line = &usage->lines[row];
        *line = (struct usage_line){.date = arena_strdup(a, db_text(rows, row, 0)),
                                    .model = arena_strdup(a, db_text(rows, row, 1)),
                                    .name = arena_strdup(a, db_text(rows, row, 2)),
                                    .conversations = db_int(rows, row, 3, 0),
                                    .messages = db_int(rows, row, 4, 0),
                                    .tokens_input = db_int(rows, row, 5, 0),
                                    .tokens_output = db_int(rows, row, 6, 0),
                                    .tool_calls = db_int(rows, row, 7, 0),
                                    .unpriced_calls = db_int(rows, row, 8, 0),
                                    .cost_micro = db_int(rows, row, 9, 0),
                                    .markup_percent = arena_strdup(a, db_text(rows, row, 10)),
                                    .charge_micro = db_int(rows, row, 11, 0)};
        add_to_total(&usage->total, line);
    }
}

static enum db_status read_usage(struct db *db, struct arena *a,
                                 const struct db_statement *statement, const char *org,
                                 const char *month, struct usage *usage)
{
    const char *params[] = {org, month};
    PGresult *rows;

    memset(usage, 0, sizeof(*usage));
    usage->invoice = statement == &invoice;
    if (month != NULL && !usage_month_valid(month)) {
        db_explain(db, "\"%.40s\" is not a month; one such as 2026-11 would be right", month);
        return DB_FAILED;
    }
    enum db_status status = read_heading(db, a, params, usage);
    if (status == DB_OK) {
        status = db_query(db, org, statement, params, &rows);
    }
    if (status == DB_OK) {
        read_lines(a, rows, usage);
        PQclear(rows);
    }
    return status;
}

enum db_status usage_report(struct db *db, struct arena *a, const char *org, const char *month,
                            struct usage *usage)
{
    return read_usage(db, a, &report, org, month, usage);
}

enum db_status usage_invoice(struct db *db, struct arena *a, const char *org, const char *month,
                             struct usage *usage)
{
    return read_usage(db, a, &invoice, org, month, usage);
}

/* -- the rate card ------------------------------------------------------------------------ */

static const struct db_statement set_rate = {
    "usage_rate_set",
    "INSERT INTO rate_card (org_id, model_id, effective_from, markup_percent)"
    " VALUES ($1::uuid, $2::text, coalesce($3::date, (now() AT TIME ZONE 'UTC')::date),"
    "         $4::numeric)"
    " ON CONFLICT (org_id, model_id, effective_from)"
    " DO UPDATE SET markup_percent = EXCLUDED.markup_percent",
    4};
static const struct db_statement rates_statement = {
    "usage_rates",
    "SELECT org_id, model_id, effective_from, markup_percent FROM rate_card"
    " WHERE org_id = $1::uuid OR org_id IS NULL"
    " ORDER BY org_id IS NULL, model_id, effective_from",
    1};

static bool percent_ok(const char *text)
{
    const char *digits = text + (*text == '-' ? 1 : 0);
    size_t whole = strspn(digits, "0123456789");
    const char *rest = digits + whole;
    size_t behind = *rest == '.' ? strspn(rest + 1, "0123456789") : 0;
    double value = strtod(text, NULL);

    return whole >= 1 && whole <= 5 && behind <= 2 && (*rest != '.' || behind > 0) &&
           rest[*rest == '.' ? behind + 1 : 0] == '\0' && value >= -100 && value <= 10000;
}

static bool date_ok(const char *text)
{
    char month[8];
    int day = 0;

    snprintf(month, sizeof(month), "%s", text);
    if (strlen(text) != 10 || !usage_month_valid(month) || text[7] != '-' ||
        strspn(text + 8, "0123456789") != 2) {
        return false;
    }
    day = (int)strtol(text + 8, NULL, 10);
    return day >= 1 && day <= 31; /* PostgreSQL knows how many a month has */
}

enum db_status usage_rate_set(struct db *db, const struct usage_rate *rate)
{
    const char *params[] = {rate->org, rate->model, rate->from, rate->markup_percent};

    if (!percent_ok(rate->markup_percent)) {
        db_explain(db, "the markup is \"%.40s\"; percent from -100 to 10000 would be right",
                   rate->markup_percent);
        return DB_FAILED;
    }
    if (rate->from != NULL && !date_ok(rate->from)) {
        db_explain(db, "\"%.40s\" is not a day; one such as 2026-11-01 would be right", rate->from);
        return DB_FAILED;
    }
    if (rate->model[0] == '\0' || strlen(rate->model) > 128) {
        db_explain(db, "a model has 1 to 128 bytes, or is * for every model");
        return DB_FAILED;
    }
    return db_query(db, rate->org, &set_rate, params, NULL);
}

enum db_status usage_rates(struct db *db, const char *org, PGresult **rates)
{
    return db_query(db, org, &rates_statement, &org, rates);
}
