#include "tenant/insights.h"

#include <math.h>

#define CALLS_ENOUGH 5  /* of a tool, to call it failing */
#define FAILING      10 /* percent */
#define ASKED_ENOUGH 2  /* times */

static void begin(struct fd_json_writer *w, const char *kind, const char *text_key)
{
    fd_jw_object(w);
    fd_jw_member(w, "kind", kind);
    fd_jw_member(w, "text_key", text_key);
    fd_jw_key(w, "values");
    fd_jw_object(w);
}

static void write_number(struct fd_json_writer *w, const char *key, double value)
{
    fd_jw_key(w, key);
    fd_jw_double(w, value);
}

static double percent_of(int64_t part, int64_t whole)
{
    return whole > 0 ? round(1000.0 * (double)part / (double)whole) / 10 : 0;
}

static void write_change(struct fd_json_writer *w, const struct figures *figures)
{
    struct figure_change change = figures_change(figures);

    if (change.name == NULL)
        return;
    begin(w, "biggest_change",
          change.percent > 0 ? "insight.biggest_change.up" : "insight.biggest_change.down");
    fd_jw_member(w, "figure", change.name);
    write_number(w, "value", change.value);
    write_number(w, "previous", change.previous);
    write_number(w, "percent", change.percent);
    fd_jw_end_object(w);
    period_write_filter(w, &figures->periods[0], PERIOD_BEGAN, change.filter, FIGURE_FILTERS);
    fd_jw_end_object(w);
}

static void write_asked(struct fd_json_writer *w, const struct period *period,
                        const struct knowledge_gaps *gaps)
{
    const struct knowledge_gap *gap = gaps->gaps;

    if (gaps->count == 0 || gap->count < ASKED_ENOUGH)
        return;
    begin(w, "most_asked_unanswered", "insight.most_asked_unanswered");
    fd_jw_member(w, "question", gap->question);
    fd_jw_member_int(w, "count", gap->count);
    fd_jw_member_int(w, "conversations", gap->conversations);
    fd_jw_end_object(w);
    knowledge_gap_write_filter(w, period, gap);
    fd_jw_end_object(w);
}

static void write_dearest(struct fd_json_writer *w, const struct insight_facts *facts)
{
    const struct insight_model *dearest = NULL;
    int64_t all = 0;

    for (size_t i = 0; i < facts->model_count; i++) {
        all += facts->models[i].cost_micro;
        if (dearest == NULL || facts->models[i].cost_micro > dearest->cost_micro)
            dearest = &facts->models[i];
    }
    if (dearest == NULL || dearest->cost_micro <= 0)
        return;
    const char *const pair[][2] = {{"model", dearest->id}};
    begin(w, "dearest_model", "insight.dearest_model");
    fd_jw_member(w, "model_id", dearest->id);
    fd_jw_member(w, "model", dearest->name);
    fd_jw_member_int(w, "cost_micro", dearest->cost_micro);
    write_number(w, "percent", percent_of(dearest->cost_micro, all));
    fd_jw_end_object(w);
    period_write_filter(w, &facts->figures->periods[0], PERIOD_ACTIVE, pair, 1);
    fd_jw_end_object(w);
}

static void write_failing(struct fd_json_writer *w, const struct insight_facts *facts)
{
    const struct insight_tool *worst = NULL;
    double most = FAILING;

    for (size_t i = 0; i < facts->tool_count; i++) {
        const struct insight_tool *tool = &facts->tools[i];
        double failed = percent_of(tool->calls - tool->succeeded, tool->calls);
        if (tool->calls < CALLS_ENOUGH || failed < most || (worst != NULL && failed <= most))
            continue;
        worst = tool;
        most = failed;
    }
    if (worst == NULL)
        return;
    const char *const pair[][2] = {{"tool", worst->name}};
    begin(w, "failing_tool", "insight.failing_tool");
    fd_jw_member(w, "tool", worst->name);
    fd_jw_member_int(w, "calls", worst->calls);
    fd_jw_member_int(w, "failed", worst->calls - worst->succeeded);
    write_number(w, "percent", most);
    fd_jw_end_object(w);
    period_write_filter(w, &facts->figures->periods[0], PERIOD_ACTIVE, pair, 1);
    fd_jw_end_object(w);
}

void insights_write(struct fd_json_writer *w, const struct insight_facts *facts)
{
    fd_jw_key(w, "insights");
    fd_jw_array(w);
    write_change(w, facts->figures);
    write_asked(w, &facts->figures->periods[0], facts->gaps);
    write_dearest(w, facts);
    write_failing(w, facts);
    fd_jw_end_array(w);
}
