#include "tenant/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ENOUGH 20  /* conversations: with fewer, chance is what changes a figure */
#define CHANGE 0.1 /* that is worth to be told */
#define STEP   1.05

static const struct db_statement sums_statement = {
    "figures",
    "SELECT (d.day < $3::date)::int, d.figure, d.name, sum(d.n)"
    "  FROM outcome_daily d"
    " WHERE d.org_id = $1::uuid AND d.day BETWEEN $2::date AND $4::date"
    "   AND d.figure NOT IN ('handoff_reason', 'handoff_cause')"
    " GROUP BY 1, 2, 3",
    4};

static const char *const sum_names[SUM_NAMED] = {
    [SUM_CONVERSATIONS] = "conversations",
    [SUM_MESSAGES] = "messages",
    [SUM_SAID] = "said",
    [SUM_BY_AI] = "handled_by_ai",
    [SUM_BY_PEOPLE] = "handed_over",
    [SUM_UNANSWERED] = "unanswered",
    [SUM_RATED] = "rated",
    [SUM_STARS] = "stars",
    [SUM_RATED_AI] = "rated_ai",
    [SUM_STARS_AI] = "stars_ai",
    [SUM_RATED_HUMAN] = "rated_human",
    [SUM_STARS_HUMAN] = "stars_human",
    [SUM_UP] = "feedback_up",
    [SUM_DOWN] = "feedback_down",
    [SUM_RESOLVED] = "resolved_7d",
    [SUM_UNRESOLVED] = "unresolved_7d",
    [SUM_UNDECIDED] = "undecided_7d",
    [SUM_NEGATIVE] = "sentiment_negative",
    [SUM_NEUTRAL] = "sentiment_neutral",
    [SUM_POSITIVE] = "sentiment_positive",
    [SUM_FIRST_TOKEN] = "timed_first_token",
    [SUM_RESPONSE] = "timed_response",
    [SUM_RESOLUTION] = "timed_resolution",
};
static const char *const step_names[FIGURE_STEPS] = {
    [STEPS_FIRST_TOKEN] = "first_token_ms",
    [STEPS_RESPONSE] = "response_ms",
    [STEPS_RESOLUTION] = "resolution_ms",
    [STEPS_LENGTH] = "length",
};

/* -- what is shown ------------------------------------------------------------------------------
 */

/* COUNT: a sum. MEAN: a sum by how many. PERCENT: a sum of so many. P50, P95: of steps. */
enum kind { COUNT, MEAN, PERCENT, P50, P95 };

static const struct figure {
    const char *name;
    enum kind kind;
    int of;                                /* enum figure_sum, of P50 and P95 figure_steps */
    enum figure_sum conversations;         /* that its filter finds */
    bool tells;                            /* a change of it is worth an insight */
    const char *filter[FIGURE_FILTERS][2]; /* beside the period's days */
} shown[] = {
    {"conversations", COUNT, SUM_CONVERSATIONS, SUM_CONVERSATIONS, true, {{NULL}}},
    {"messages", COUNT, SUM_MESSAGES, SUM_CONVERSATIONS, false, {{NULL}}},
    {"length", MEAN, SUM_SAID, SUM_CONVERSATIONS, true, {{NULL}}},
    {"length_p50", P50, STEPS_LENGTH, SUM_CONVERSATIONS, false, {{NULL}}},
    {"length_p95", P95, STEPS_LENGTH, SUM_CONVERSATIONS, false, {{NULL}}},
    {"handled_by_ai", COUNT, SUM_BY_AI, SUM_BY_AI, true, {{"handled", "ai"}}},
    {"handed_over", COUNT, SUM_BY_PEOPLE, SUM_BY_PEOPLE, true, {{"handled", "human"}}},
    {"unanswered", COUNT, SUM_UNANSWERED, SUM_UNANSWERED, true, {{"handled", "nobody"}}},
    {"resolved_7d", COUNT, SUM_RESOLVED, SUM_RESOLVED, false, {{"resolved", "true"}}},
    {"unresolved_7d", COUNT, SUM_UNRESOLVED, SUM_UNRESOLVED, false, {{"resolved", "false"}}},
    {"undecided_7d", COUNT, SUM_UNDECIDED, SUM_UNDECIDED, false, {{"resolved", "pending"}}},
    {"resolved_7d_percent", PERCENT, SUM_RESOLVED, SUM_DECIDED, true, {{"resolved", "known"}}},
    {"rating", MEAN, SUM_STARS, SUM_RATED, true, {{"rating", "any"}}},
    {"rated", COUNT, SUM_RATED, SUM_RATED, false, {{"rating", "any"}}},
    {"rating_ai", MEAN, SUM_STARS_AI, SUM_RATED_AI, true, {{"rating", "any"}, {"handled", "ai"}}},
    {"rated_ai", COUNT, SUM_RATED_AI, SUM_RATED_AI, false, {{"rating", "any"}, {"handled", "ai"}}},
    {"rating_human",
     MEAN,
     SUM_STARS_HUMAN,
     SUM_RATED_HUMAN,
     true,
     {{"rating", "any"}, {"handled", "human"}}},
    {"rated_human",
     COUNT,
     SUM_RATED_HUMAN,
     SUM_RATED_HUMAN,
     false,
     {{"rating", "any"}, {"handled", "human"}}},
    {"feedback_up", COUNT, SUM_UP, SUM_UP, false, {{"feedback", "up"}}},
    {"feedback_down", COUNT, SUM_DOWN, SUM_DOWN, true, {{"feedback", "down"}}},
    {"sentiment", PERCENT, SUM_NET, SUM_SCORED, false, {{"sentiment", "any"}}},
    {"sentiment_negative", COUNT, SUM_NEGATIVE, SUM_NEGATIVE, true, {{"sentiment", "negative"}}},
    {"sentiment_neutral", COUNT, SUM_NEUTRAL, SUM_NEUTRAL, false, {{"sentiment", "neutral"}}},
    {"sentiment_positive", COUNT, SUM_POSITIVE, SUM_POSITIVE, true, {{"sentiment", "positive"}}},
    {"first_token_ms_p50",
     P50,
     STEPS_FIRST_TOKEN,
     SUM_FIRST_TOKEN,
     false,
     {{"has", "first_token"}}},
    {"first_token_ms_p95", P95, STEPS_FIRST_TOKEN, SUM_FIRST_TOKEN, true, {{"has", "first_token"}}},
    {"response_ms_p50", P50, STEPS_RESPONSE, SUM_RESPONSE, false, {{"has", "response"}}},
    {"response_ms_p95", P95, STEPS_RESPONSE, SUM_RESPONSE, true, {{"has", "response"}}},
    {"resolution_ms_p50", P50, STEPS_RESOLUTION, SUM_RESOLUTION, true, {{"has", "resolution"}}},
    {"resolution_ms_p95", P95, STEPS_RESOLUTION, SUM_RESOLUTION, false, {{"has", "resolution"}}},
};
#define SHOWN (sizeof(shown) / sizeof(shown[0]))

/* -- reading
 * ---------------------------------------------------------------------------------------
 */

static int place(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

static void take(struct figure_sums *of, const char *figure, const char *name, int64_t n)
{
    int sum = place(sum_names, SUM_NAMED, figure);
    int steps = place(step_names, FIGURE_STEPS, figure);
    long step = strtol(name, NULL, 10);

    if (sum >= 0)
        of->sums[sum] += n;
    else if (steps >= 0 && step >= 0)
        of->steps[steps][step < FIGURES_STEPS_MAX ? step : FIGURES_STEPS_MAX - 1] += n;
}

static void derive(int64_t sums[FIGURE_SUMS])
{
    sums[SUM_DECIDED] = sums[SUM_RESOLVED] + sums[SUM_UNRESOLVED];
    sums[SUM_SCORED] = sums[SUM_NEGATIVE] + sums[SUM_NEUTRAL] + sums[SUM_POSITIVE];
    sums[SUM_NET] = sums[SUM_POSITIVE] - sums[SUM_NEGATIVE];
}

enum db_status figures_load(struct db *db, const char *org, const struct period *period,
                            struct figures *figures)
{
    PGresult *rows;

    *figures = (struct figures){.periods = {*period}};
    period_before(period, &figures->periods[1]);
    const char *params[] = {org, figures->periods[1].from, period->from, period->to};
    enum db_status status = db_query(db, org, &sums_statement, params, &rows);
    for (int row = 0; status == DB_OK && row < PQntuples(rows); row++)
        take(&figures->of[db_int(rows, row, 0, 0)], db_text(rows, row, 1), db_text(rows, row, 2),
             db_int(rows, row, 3, 0));
    PQclear(rows);
    derive(figures->of[0].sums);
    derive(figures->of[1].sums);
    return status;
}

int64_t figures_percentile(const int64_t steps[FIGURES_STEPS_MAX], int percent)
{
    int64_t total = 0, upto = 0;
    int step = 0;

    for (int i = 0; i < FIGURES_STEPS_MAX; i++)
        total += steps[i];
    if (total <= 0)
        return -1;
    while (step < FIGURES_STEPS_MAX - 1 && 100 * (upto += steps[step]) < percent * total)
        step++;
    return llround(pow(STEP, step - 0.5));
}

/* -- values
 * ----------------------------------------------------------------------------------------
 */

static double rounded(double value, double by)
{
    return round(value * by) / by;
}

/* False: it is made of nothing. */
static bool value_of(const struct figure *figure, const struct figure_sums *of, double *value)
{
    int64_t conversations = of->sums[figure->conversations];

    switch (figure->kind) {
    case COUNT: *value = (double)of->sums[figure->of]; return true;
    case MEAN:
        *value =
            rounded((double)of->sums[figure->of] / (double)(conversations + !conversations), 100);
        return conversations > 0;
    case PERCENT:
        *value = rounded(
            100.0 * (double)of->sums[figure->of] / (double)(conversations + !conversations), 10);
        return conversations > 0;
    case P50: *value = (double)figures_percentile(of->steps[figure->of], 50); break;
    case P95: *value = (double)figures_percentile(of->steps[figure->of], 95); break;
    }
    return *value >= 0;
}

static void write_value(struct fd_json_writer *w, const char *key, const struct figure *figure,
                        const struct figure_sums *of)
{
    double value;

    fd_jw_key(w, key);
    if (value_of(figure, of, &value))
        fd_jw_double(w, value);
    else
        fd_jw_null(w);
}

void figures_write(struct fd_json_writer *w, const struct figures *figures)
{
    fd_jw_key(w, "figures");
    fd_jw_array(w);
    for (size_t i = 0; i < SHOWN; i++) {
        fd_jw_object(w);
        fd_jw_member(w, "name", shown[i].name);
        write_value(w, "value", &shown[i], &figures->of[0]);
        write_value(w, "previous", &shown[i], &figures->of[1]);
        fd_jw_member_int(w, "conversations", figures->of[0].sums[shown[i].conversations]);
        period_write_filter(w, &figures->periods[0], PERIOD_BEGAN, shown[i].filter, FIGURE_FILTERS);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

/* A count changes with how many it is of; other figures with what they are made of. */
static bool is_enough(const struct figure *figure, const struct figure_sums *now,
                      const struct figure_sums *before)
{
    int64_t a = now->sums[figure->conversations], b = before->sums[figure->conversations];

    return figure->kind == COUNT ? a >= ENOUGH || b >= ENOUGH : a >= ENOUGH && b >= ENOUGH;
}

struct figure_change figures_change(const struct figures *figures)
{
    const struct figure_sums *now = &figures->of[0], *before = &figures->of[1];
    struct figure_change most = {0};
    double value, previous, best = CHANGE;

    if (before->sums[SUM_CONVERSATIONS] == 0)
        return most;
    for (size_t i = 0; i < SHOWN; i++) {
        if (!shown[i].tells || !is_enough(&shown[i], now, before) ||
            !value_of(&shown[i], now, &value) || !value_of(&shown[i], before, &previous))
            continue;
        double change = (value - previous) / fmax(fabs(previous), 1);
        if (fabs(change) > best) {
            best = fabs(change);
            most = (struct figure_change){shown[i].name, value, previous, rounded(100 * change, 10),
                                          shown[i].filter};
        }
    }
    return most;
}
