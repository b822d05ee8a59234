#include "tenant/analytics.h"

#include "tenant/insights.h"

#include <stdio.h>
#include <stdlib.h>

#define PARAMS 4 /* the organisation, the period's days, the first day of the one before */

static const struct db_statement models_statement = {
    "analytics_models",
    "SELECT u.model_id, coalesce(max(c.name), u.model_id),"
    "       coalesce(sum(u.message_count) FILTER (WHERE u.date >= $2::date), 0),"
    "       coalesce(sum(u.tokens_input) FILTER (WHERE u.date >= $2::date), 0),"
    "       coalesce(sum(u.tokens_output) FILTER (WHERE u.date >= $2::date), 0),"
    "       coalesce(sum(u.cost_estimate) FILTER (WHERE u.date >= $2::date), 0),"
    "       coalesce(sum(u.unpriced_calls) FILTER (WHERE u.date >= $2::date), 0),"
    "       coalesce(sum(u.message_count) FILTER (WHERE u.date < $2::date), 0),"
    "       coalesce(sum(u.tokens_input) FILTER (WHERE u.date < $2::date), 0),"
    "       coalesce(sum(u.tokens_output) FILTER (WHERE u.date < $2::date), 0),"
    "       coalesce(sum(u.cost_estimate) FILTER (WHERE u.date < $2::date), 0)"
    "  FROM api_usage u LEFT JOIN model_catalog c ON c.model_id = u.model_id"
    " WHERE u.org_id = $1::uuid AND u.date BETWEEN $4::date AND $3::date"
    " GROUP BY u.model_id ORDER BY 6 DESC, 1",
    PARAMS};
/* A step of durations is a fifth wide: the percentile is its upper end. */
static const struct db_statement tools_statement = {
    "analytics_tools",
    "WITH d AS ("
    "  SELECT (day < $2::date)::int AS k, tool_name, calls, succeeded, steps, counts"
    "    FROM tool_daily WHERE org_id = $1::uuid AND day BETWEEN $4::date AND $3::date"
    "), h AS ("
    "  SELECT k, tool_name, step,"
    "         sum(sum(n)) OVER (PARTITION BY k, tool_name ORDER BY step) AS upto,"
    "         sum(sum(n)) OVER (PARTITION BY k, tool_name) AS total"
    "    FROM d, unnest(steps, counts) AS u (step, n) GROUP BY k, tool_name, step"
    "), p AS ("
    "  SELECT k, tool_name, round(power(1.2, min(step)))::bigint AS ms FROM h"
    "   WHERE upto >= 0.95 * total GROUP BY k, tool_name"
    "), t AS ("
    "  SELECT k, tool_name, sum(calls) AS calls, sum(succeeded) AS succeeded FROM d GROUP BY 1, 2"
    ") SELECT tool_name, coalesce(sum(calls) FILTER (WHERE k = 0), 0),"
    "         coalesce(sum(succeeded) FILTER (WHERE k = 0), 0), max(ms) FILTER (WHERE k = 0),"
    "         coalesce(sum(calls) FILTER (WHERE k = 1), 0),"
    "         coalesce(sum(succeeded) FILTER (WHERE k = 1), 0), max(ms) FILTER (WHERE k = 1)"
    "    FROM t LEFT JOIN p USING (k, tool_name) GROUP BY tool_name ORDER BY 2 DESC, 1 LIMIT 200",
    PARAMS};
#define NAMED(figure)                                                                              \
    "SELECT name, coalesce(sum(n) FILTER (WHERE day >= $2::date), 0),"                             \
    "       coalesce(sum(n) FILTER (WHERE day < $2::date), 0) FROM outcome_daily"                  \
    " WHERE org_id = $1::uuid AND day BETWEEN $4::date AND $3::date AND figure = '" figure "'"     \
    " GROUP BY name ORDER BY 2 DESC, 1 LIMIT 50"
static const struct db_statement reasons_statement = {"analytics_reasons", NAMED("handoff_reason"),
                                                      PARAMS};
static const struct db_statement causes_statement = {"analytics_causes", NAMED("handoff_cause"),
                                                     PARAMS};
#define OF(figure) "coalesce(sum(n) FILTER (WHERE figure = '" figure "'), 0)"
static const struct db_statement days_statement =
    {
        "analytics_days",
        "SELECT day, " OF("conversations") ", " OF("messages") ", " OF(
            "handed_over") ","
                           "       " OF("handled_by_ai") ", " OF("unanswered") ", " OF(
                               "resolved_7d") ","
                                              "       " OF("sentiment_negative") ", " OF(
                                                  "sentiment_positive") ","
                                                                        "       round(" OF("stars") "::numeric / nullif(" OF(
                                                                            "rated") ", 0), 2)"
                                                                                     "  FROM "
                                                                                     "outcome_daily"
                                                                                     " WHERE "
                                                                                     "org_id = "
                                                                                     "$1::uuid AND "
                                                                                     "day BETWEEN "
                                                                                     "$2::date AND "
                                                                                     "$3::date AND "
                                                                                     "name = ''"
                                                                                     " GROUP BY "
                                                                                     "day ORDER BY "
                                                                                     "day",
        3};
/* Up to when it is counted, and from which day on conversations are kept. */
static const struct db_statement state_statement = {
    "analytics_state",
    "SELECT to_char((SELECT at + interval '2 minutes' FROM marks WHERE name = 'outcomes')"
    "               AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    "       (now() AT TIME ZONE 'UTC')::date - coalesce((SELECT message_days"
    "          FROM retention_settings WHERE org_id = $1::uuid), 30)",
    1};

/* -- writing -------------------------------------------------------------------------------------
 */

/* Columns that are numbers, by their names; the first of them is column `from`. */
static void write_numbers(struct fd_json_writer *w, const char *const *names, size_t count,
                          const PGresult *rows, int row, int from)
{
    /* PostgreSQL's digits are JSON's */
    for (size_t i = 0; i < count; i++)
        fd_jw_member_raw(w, names[i], db_text(rows, row, from + (int)i));
}

#define NUMBERS(w, names, rows, row, from)                                                         \
    write_numbers(w, names, sizeof(names) / sizeof((names)[0]), rows, row, from)

static void write_one_filter(struct fd_json_writer *w, const struct period *period,
                             enum period_of of, const char *name, const char *value)
{
    const char *const pair[][2] = {{name, value}};

    period_write_filter(w, period, of, pair, 1);
}

static void write_model(struct fd_json_writer *w, const struct period *period, const PGresult *rows,
                        int row)
{
    static const char *const names[] = {"answers",
                                        "tokens_input",
                                        "tokens_output",
                                        "cost_micro",
                                        "unpriced_calls",
                                        "previous_answers",
                                        "previous_tokens_input",
                                        "previous_tokens_output",
                                        "previous_cost_micro"};

    fd_jw_member(w, "model_id", db_text(rows, row, 0));
    fd_jw_member(w, "model", db_text(rows, row, 1));
    NUMBERS(w, names, rows, row, 2);
    write_one_filter(w, period, PERIOD_ACTIVE, "model", db_text(rows, row, 0));
}

static void write_tool(struct fd_json_writer *w, const struct period *period, const PGresult *rows,
                       int row)
{
    static const char *const names[] = {"calls",          "succeeded",          "p95_ms",
                                        "previous_calls", "previous_succeeded", "previous_p95_ms"};

    fd_jw_member(w, "name", db_text(rows, row, 0));
    NUMBERS(w, names, rows, row, 1);
    write_one_filter(w, period, PERIOD_ACTIVE, "tool", db_text(rows, row, 0));
}

static const char *const of_both[] = {"conversations", "previous"};

/* Whoever gave none is found by that. */
static void write_reason(struct fd_json_writer *w, const struct period *period,
                         const PGresult *rows, int row)
{
    const char *reason = db_text(rows, row, 0);
    bool given = reason[0] != '\0';

    fd_jw_member(w, "reason", given ? reason : NULL);
    NUMBERS(w, of_both, rows, row, 1);
    write_one_filter(w, period, PERIOD_BEGAN, given ? "handoff_reason" : "handoff",
                     given ? reason : "unexplained");
}

static void write_cause(struct fd_json_writer *w, const struct period *period, const PGresult *rows,
                        int row)
{
    fd_jw_member(w, "cause", db_text(rows, row, 0));
    NUMBERS(w, of_both, rows, row, 1);
    write_one_filter(w, period, PERIOD_BEGAN, "handoff_cause", db_text(rows, row, 0));
}

static void write_a_day(struct fd_json_writer *w, const struct period *period, const PGresult *rows,
                        int row)
{
    static const char *const names[] = {"conversations",      "messages",           "handed_over",
                                        "handled_by_ai",      "unanswered",         "resolved_7d",
                                        "sentiment_negative", "sentiment_positive", "rating"};
    const char *text = db_text(rows, row, 0);
    struct period day;

    (void)period;
    snprintf(day.from, sizeof(day.from), "%s", text);
    snprintf(day.to, sizeof(day.to), "%s", text);
    fd_jw_member(w, "day", day.from);
    NUMBERS(w, names, rows, row, 1);
    write_one_filter(w, &day, PERIOD_BEGAN, NULL, NULL);
}

/* -- all of it -----------------------------------------------------------------------------------
 */

enum part { MODELS, TOOLS, REASONS, CAUSES, DAYS, STATE, PARTS };

static const struct {
    const char *key; /* NULL: it is not a list */
    const struct db_statement *statement;
    void (*write)(struct fd_json_writer *w, const struct period *period, const PGresult *rows,
                  int row);
} parts[PARTS] = {
    [MODELS] = {"models", &models_statement, write_model},
    [TOOLS] = {"tools", &tools_statement, write_tool},
    [REASONS] = {"handoff_reasons", &reasons_statement, write_reason},
    [CAUSES] = {"handoff_causes", &causes_statement, write_cause},
    [DAYS] = {"days", &days_statement, write_a_day},
    [STATE] = {NULL, &state_statement, NULL},
};

struct analytics {
    struct arena arena;
    struct figures figures;
    struct knowledge_gaps gaps;
    PGresult *rows[PARTS];
};

static enum db_status load(struct db *db, const char *org, const struct period *period,
                           struct analytics *all)
{
    enum db_status status = figures_load(db, org, period, &all->figures);
    const char *params[PARAMS] = {org, period->from, period->to, all->figures.periods[1].from};

    for (int i = 0; i < PARTS && status == DB_OK; i++)
        status = db_query(db, org, parts[i].statement, params, &all->rows[i]);
    if (status == DB_OK)
        status = knowledge_gaps_most_asked(db, &all->arena, org, period, &all->gaps);
    return status;
}

static void write_list(struct fd_json_writer *w, const struct analytics *all, enum part part)
{
    const PGresult *rows = all->rows[part];

    fd_jw_key(w, parts[part].key);
    fd_jw_array(w);
    for (int row = 0; row < PQntuples(rows); row++) {
        fd_jw_object(w);
        parts[part].write(w, &all->figures.periods[0], rows, row);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

static void write_insights(struct fd_json_writer *w, struct analytics *all)
{
    const PGresult *models = all->rows[MODELS], *tools = all->rows[TOOLS];
    size_t model_count = (size_t)PQntuples(models), tool_count = (size_t)PQntuples(tools);
    struct insight_model *m = arena_alloc(&all->arena, (model_count + 1) * sizeof(*m));
    struct insight_tool *t = arena_alloc(&all->arena, (tool_count + 1) * sizeof(*t));

    for (int row = 0; row < (int)model_count; row++)
        m[row] = (struct insight_model){db_text(models, row, 0), db_text(models, row, 1),
                                        db_int(models, row, 5, 0)};
    for (int row = 0; row < (int)tool_count; row++)
        t[row] = (struct insight_tool){db_text(tools, row, 0), db_int(tools, row, 1, 0),
                                       db_int(tools, row, 2, 0)};
    insights_write(w, &(struct insight_facts){.figures = &all->figures,
                                              .gaps = &all->gaps,
                                              .tools = t,
                                              .tool_count = tool_count,
                                              .models = m,
                                              .model_count = model_count});
}

static void write_all(struct fd_json_writer *w, struct analytics *all)
{
    period_write(w, "period", &all->figures.periods[0]);
    period_write(w, "previous_period", &all->figures.periods[1]);
    fd_jw_member(w, "counted_until", db_text(all->rows[STATE], 0, 0));
    fd_jw_member(w, "conversations_kept_from", db_text(all->rows[STATE], 0, 1));
    write_insights(w, all);
    figures_write(w, &all->figures);
    for (int i = 0; i < PARTS; i++) {
        if (parts[i].key != NULL)
            write_list(w, all, (enum part)i);
    }
}

enum db_status analytics_json(struct db *db, const char *org, const struct period *period,
                              struct buf *out)
{
    struct analytics *all = calloc(1, sizeof(*all));
    struct fd_json_writer w;

    if (all == NULL)
        abort();
    arena_init(&all->arena);
    enum db_status status = load(db, org, period, all);
    if (status == DB_OK) {
        buf_json(out, &w);
        fd_jw_object(&w);
        write_all(&w, all);
        fd_jw_end_object(&w);
        buf_json_end(out, &w);
    }
    for (int i = 0; i < PARTS; i++)
        PQclear(all->rows[i]);
    arena_free(&all->arena);
    free(all);
    return status;
}
