#include "tenant/analytics.h"

#include "core/clock.h"
#include "tenant/day.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The period is row 0, the one before it row 1. */
#define PERIODS                                                                                    \
    "WITH p AS ("                                                                                  \
    "  SELECT 0 AS k, $2::date AS first, $3::date AS last UNION ALL"                               \
    "  SELECT 1, $2::date - ($3::date - $2::date + 1), $2::date - 1)"
#define OUTCOMES                                                                                   \
    " conversation_outcomes o ON o.org_id = $1::uuid"                                              \
    "   AND o.started_at >= p.first::timestamp AT TIME ZONE 'UTC'"                                 \
    "   AND o.started_at < (p.last + 1)::timestamp AT TIME ZONE 'UTC'"
#define BY_PEOPLE "(o.handoff_at IS NOT NULL OR o.replies > 0)"

static const struct db_statement figures_statement = {
    "analytics_figures",
    PERIODS " SELECT p.first, p.last, count(o.conversation_id), coalesce(sum(o.questions), 0),"
            "        count(*) FILTER (WHERE o.answers > 0 AND NOT " BY_PEOPLE "),"
            "        count(*) FILTER (WHERE " BY_PEOPLE "),"
            "        round(avg(o.rating), 2), count(o.rating),"
            "        count(*) FILTER (WHERE o.feedback_up > 0),"
            "        count(*) FILTER (WHERE o.feedback_down > 0),"
            "        (percentile_disc(0.5) WITHIN GROUP (ORDER BY o.first_token_ms)),"
            "        (percentile_disc(0.95) WITHIN GROUP (ORDER BY o.first_token_ms)),"
            "        (percentile_disc(0.5) WITHIN GROUP (ORDER BY o.response_ms)),"
            "        (percentile_disc(0.95) WITHIN GROUP (ORDER BY o.response_ms)),"
            "        count(*) FILTER (WHERE o.answers = 0 AND NOT " BY_PEOPLE
            "                           AND o.conversation_id IS NOT NULL)"
            "   FROM p LEFT JOIN" OUTCOMES " GROUP BY p.k, p.first, p.last ORDER BY p.k",
    3};
static const struct db_statement models_statement = {
    "analytics_models",
    PERIODS
    " SELECT u.model_id, coalesce(max(c.name), u.model_id),"
    "        sum(u.message_count) FILTER (WHERE p.k = 0),"
    "        sum(u.tokens_input) FILTER (WHERE p.k = 0),"
    "        sum(u.tokens_output) FILTER (WHERE p.k = 0),"
    "        sum(u.cost_estimate) FILTER (WHERE p.k = 0)::bigint,"
    "        sum(u.unpriced_calls) FILTER (WHERE p.k = 0),"
    "        sum(u.cost_estimate) FILTER (WHERE p.k = 1)::bigint"
    "   FROM p JOIN api_usage u ON u.org_id = $1::uuid AND u.date BETWEEN p.first AND p.last"
    "   LEFT JOIN model_catalog c ON c.model_id = u.model_id"
    "  GROUP BY u.model_id ORDER BY 6 DESC NULLS LAST, 1",
    3};
/* A step of durations is a fifth wide: the percentile is its upper end. */
static const struct db_statement tools_statement = {
    "analytics_tools",
    "WITH d AS ("
    "  SELECT tool_name, calls, succeeded, steps, counts FROM tool_daily"
    "   WHERE org_id = $1::uuid AND day BETWEEN $2::date AND $3::date"
    "), h AS ("
    "  SELECT tool_name, step, sum(sum(n)) OVER (PARTITION BY tool_name ORDER BY step) AS upto,"
    "         sum(sum(n)) OVER (PARTITION BY tool_name) AS total"
    "    FROM d, unnest(steps, counts) AS u (step, n) GROUP BY tool_name, step"
    ") SELECT tool_name, sum(calls), sum(succeeded),"
    "         (SELECT round(power(1.2, min(h.step)))::bigint FROM h"
    "           WHERE h.tool_name = d.tool_name AND h.upto >= 0.95 * h.total)"
    "    FROM d GROUP BY tool_name ORDER BY 2 DESC, 1 LIMIT 200",
    3};
static const struct db_statement reasons_statement = {
    "analytics_reasons",
    "SELECT handoff_reason, count(*) FROM conversation_outcomes"
    " WHERE org_id = $1::uuid AND handoff_at IS NOT NULL"
    "   AND started_at >= $2::date::timestamp AT TIME ZONE 'UTC'"
    "   AND started_at < ($3::date + 1)::timestamp AT TIME ZONE 'UTC'"
    " GROUP BY handoff_reason ORDER BY 2 DESC, 1 LIMIT 50",
    3};
static const struct db_statement days_statement = {
    "analytics_days",
    "SELECT (o.started_at AT TIME ZONE 'UTC')::date, count(*), sum(o.questions),"
    "       count(*) FILTER (WHERE " BY_PEOPLE "), round(avg(o.rating), 2)"
    "  FROM conversation_outcomes o"
    " WHERE o.org_id = $1::uuid AND o.started_at >= $2::date::timestamp AT TIME ZONE 'UTC'"
    "   AND o.started_at < ($3::date + 1)::timestamp AT TIME ZONE 'UTC'"
    " GROUP BY 1 ORDER BY 1",
    3};
/* Up to when it is counted, and from which day on conversations are kept. */
static const struct db_statement state_statement = {
    "analytics_state",
    "SELECT to_char((SELECT at + interval '2 minutes' FROM marks WHERE name = 'outcomes')"
    "               AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    "       (now() AT TIME ZONE 'UTC')::date - coalesce((SELECT message_days"
    "          FROM retention_settings WHERE org_id = $1::uuid), 30)",
    1};

/* -- the period ---------------------------------------------------------------------------------
 */

static void write_day(char out[11], int64_t day)
{
    time_t seconds = (time_t)(day * 86400);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(out, 11, "%Y-%m-%d", &tm);
}

static int64_t day_number(const char *text)
{
    struct tm tm = {.tm_year = (int)strtol(text, NULL, 10) - 1900,
                    .tm_mon = (int)strtol(text + 5, NULL, 10) - 1,
                    .tm_mday = (int)strtol(text + 8, NULL, 10)};

    return (int64_t)timegm(&tm) / 86400;
}

bool analytics_period_read(const char *from, const char *to, struct analytics_period *period,
                           const char **field, const char **detail)
{
    *detail = "a day such as 2026-11-21 would be right";
    *field = from != NULL && !day_valid(from) ? "from" : "to";
    if ((from != NULL && !day_valid(from)) || (to != NULL && !day_valid(to)))
        return false;
    int64_t last = to != NULL ? day_number(to) : clock_wall_ms() / 86400000;
    int64_t first = from != NULL ? day_number(from) : last - 29;
    *field = "from";
    *detail = "a day up to 365 days before \"to\" would be right";
    if (first > last || last - first >= ANALYTICS_DAYS_MAX)
        return false;
    write_day(period->from, first);
    write_day(period->to, last);
    return true;
}

/* -- writing -------------------------------------------------------------------------------------
 */

/* A filter of conversations, as its parameters; name NULL: all of the period. */
static void write_filter(struct fd_json_writer *w, const char *from_name, const char *from,
                         const char *to_name, const char *to, const char *name, const char *value)
{
    fd_jw_key(w, "filter");
    fd_jw_object(w);
    fd_jw_member(w, from_name, from);
    fd_jw_member(w, to_name, to);
    if (name != NULL)
        fd_jw_member(w, name, value);
    fd_jw_end_object(w);
}

static void write_number(struct fd_json_writer *w, const char *key, const PGresult *rows, int row,
                         int column)
{
    const char *text = db_text(rows, row, column);

    fd_jw_key(w, key);
    if (text != NULL)
        fd_jw_raw(w, text, strlen(text)); /* PostgreSQL's digits are JSON's */
    else
        fd_jw_null(w);
}

static void write_figures(struct fd_json_writer *w, const PGresult *rows)
{
    static const struct {
        const char *name;
        const char *filter; /* beside the period's days */
        const char *value;
    } figures[] = {
        {"conversations", NULL, NULL},       {"messages", NULL, NULL},
        {"handled_by_ai", "handled", "ai"},  {"handed_over", "handled", "human"},
        {"rating", "rating", "any"},         {"rated", "rating", "any"},
        {"feedback_up", "feedback", "up"},   {"feedback_down", "feedback", "down"},
        {"first_token_ms_p50", NULL, NULL},  {"first_token_ms_p95", NULL, NULL},
        {"response_ms_p50", NULL, NULL},     {"response_ms_p95", NULL, NULL},
        {"unanswered", "handled", "nobody"},
    };

    fd_jw_key(w, "figures");
    fd_jw_array(w);
    for (int i = 0; i < (int)(sizeof(figures) / sizeof(figures[0])); i++) {
        fd_jw_object(w);
        fd_jw_member(w, "name", figures[i].name);
        write_number(w, "value", rows, 0, i + 2);
        write_number(w, "previous", rows, 1, i + 2);
        write_filter(w, "from", db_text(rows, 0, 0), "to", db_text(rows, 0, 1), figures[i].filter,
                     figures[i].value);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

static void write_period(struct fd_json_writer *w, const char *key, const PGresult *rows, int row)
{
    fd_jw_key(w, key);
    fd_jw_object(w);
    fd_jw_member(w, "from", db_text(rows, row, 0));
    fd_jw_member(w, "to", db_text(rows, row, 1));
    fd_jw_end_object(w);
}

static void write_model(struct fd_json_writer *w, const struct analytics_period *period,
                        const PGresult *rows, int row)
{
    fd_jw_member(w, "model_id", db_text(rows, row, 0));
    fd_jw_member(w, "model", db_text(rows, row, 1));
    fd_jw_member_int(w, "answers", db_int(rows, row, 2, 0));
    fd_jw_member_int(w, "tokens_input", db_int(rows, row, 3, 0));
    fd_jw_member_int(w, "tokens_output", db_int(rows, row, 4, 0));
    fd_jw_member_int(w, "cost_micro", db_int(rows, row, 5, 0));
    fd_jw_member_int(w, "unpriced_calls", db_int(rows, row, 6, 0));
    fd_jw_member_int(w, "previous_cost_micro", db_int(rows, row, 7, 0));
    write_filter(w, "active_from", period->from, "active_to", period->to, "model",
                 db_text(rows, row, 0));
}

static void write_tool(struct fd_json_writer *w, const struct analytics_period *period,
                       const PGresult *rows, int row)
{
    fd_jw_member(w, "name", db_text(rows, row, 0));
    fd_jw_member_int(w, "calls", db_int(rows, row, 1, 0));
    fd_jw_member_int(w, "succeeded", db_int(rows, row, 2, 0));
    write_number(w, "p95_ms", rows, row, 3);
    write_filter(w, "active_from", period->from, "active_to", period->to, "tool",
                 db_text(rows, row, 0));
}

static void write_reason(struct fd_json_writer *w, const struct analytics_period *period,
                         const PGresult *rows, int row)
{
    const char *reason = db_text(rows, row, 0);

    fd_jw_member(w, "reason", reason);
    fd_jw_member_int(w, "conversations", db_int(rows, row, 1, 0));
    write_filter(w, "from", period->from, "to", period->to,
                 reason != NULL ? "handoff_reason" : "handoff", reason != NULL ? reason : "true");
}

static void write_a_day(struct fd_json_writer *w, const struct analytics_period *period,
                        const PGresult *rows, int row)
{
    const char *day = db_text(rows, row, 0);

    (void)period;
    fd_jw_member(w, "day", day);
    fd_jw_member_int(w, "conversations", db_int(rows, row, 1, 0));
    fd_jw_member_int(w, "messages", db_int(rows, row, 2, 0));
    fd_jw_member_int(w, "handed_over", db_int(rows, row, 3, 0));
    write_number(w, "rating", rows, row, 4);
    write_filter(w, "from", day, "to", day, NULL, NULL);
}

/* -- all of it
 * ------------------------------------------------------------------------------------- */

static const struct part {
    const char *key;
    const struct db_statement *statement;
    void (*write)(struct fd_json_writer *w, const struct analytics_period *period,
                  const PGresult *rows, int row);
} parts[] = {
    {"models", &models_statement, write_model},
    {"tools", &tools_statement, write_tool},
    {"handoff_reasons", &reasons_statement, write_reason},
    {"days", &days_statement, write_a_day},
};

static enum db_status write_part(struct db *db, const char *const *params,
                                 const struct analytics_period *period, const struct part *part,
                                 struct fd_json_writer *w)
{
    PGresult *rows;

    enum db_status status = db_query(db, params[0], part->statement, params, &rows);
    if (status != DB_OK)
        return status;
    fd_jw_key(w, part->key);
    fd_jw_array(w);
    for (int row = 0; row < PQntuples(rows); row++) {
        fd_jw_object(w);
        part->write(w, period, rows, row);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
    PQclear(rows);
    return DB_OK;
}

static enum db_status write_head(struct db *db, const char *const *params, struct fd_json_writer *w)
{
    PGresult *figures = NULL, *state = NULL;

    enum db_status status = db_query(db, params[0], &figures_statement, params, &figures);
    if (status == DB_OK)
        status = db_query(db, params[0], &state_statement, params, &state);
    if (status == DB_OK) {
        write_period(w, "period", figures, 0);
        write_period(w, "previous_period", figures, 1);
        fd_jw_member(w, "counted_until", db_text(state, 0, 0));
        fd_jw_member(w, "conversations_kept_from", db_text(state, 0, 1));
        write_figures(w, figures);
    }
    PQclear(figures);
    PQclear(state);
    return status;
}

enum db_status analytics_json(struct db *db, const char *org, const struct analytics_period *period,
                              struct buf *out)
{
    const char *params[] = {org, period->from, period->to};
    struct fd_json_writer w;

    buf_json(out, &w);
    fd_jw_object(&w);
    enum db_status status = write_head(db, params, &w);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && status == DB_OK; i++)
        status = write_part(db, params, period, &parts[i], &w);
    fd_jw_end_object(&w);
    buf_json_end(out, &w);
    return status;
}
