/* Analytics (ADM-6): the figures of a period and of the one before it, and what was asked in it
 * that the sources have nothing on. */
#include "tenant/analytics.h"

#include "admin/admin.h"
#include "tenant/knowledge_gaps.h"

static bool read_period(const struct admin_request *request, struct admin_reply *reply,
                        struct period *period)
{
    const char *field, *detail;

    if (period_read(admin_query(request, "from"), admin_query(request, "to"), period, &field,
                    &detail))
        return true;
    admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, field, detail);
    return false;
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    struct period period;

    if (!read_period(request, reply, &period))
        return;
    enum db_status status = analytics_json(request->db, request->org, &period, &reply->body);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
}

static void show_gaps(const struct admin_request *request, struct admin_reply *reply)
{
    struct knowledge_gaps found;
    struct fd_json_writer w;
    struct period period;

    if (!read_period(request, reply, &period))
        return;
    enum db_status status = knowledge_gaps_load(request->db, request->arena, request->org, &period,
                                                KNOWLEDGE_GAPS_MAX, &found);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    period_write(&w, "period", &period);
    fd_jw_member_bool(&w, "complete", found.complete);
    fd_jw_key(&w, "gaps");
    fd_jw_array(&w);
    for (size_t i = 0; i < found.count; i++) {
        fd_jw_object(&w);
        knowledge_gap_write(&w, &period, &found.gaps[i]);
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

#define PERIOD    "{from: date, to: date}"
#define FILTER    "filter: {*: text}"
#define PARAMETER "{from?: date, to?: date}"
#define INSIGHT   "{kind: text, text_key: text, values: {*: text|number|null}, " FILTER "}"
#define FIGURE                                                                                     \
    "{name: text, value: number|null, previous: number|null, conversations: int, " FILTER "}"
#define MODEL                                                                                      \
    "{model_id: text, model: text, answers: int, tokens_input: int, tokens_output: int,"           \
    " cost_micro: int, unpriced_calls: int, previous_answers: int, previous_tokens_input: int,"    \
    " previous_tokens_output: int, previous_cost_micro: int, " FILTER "}"
#define TOOL                                                                                       \
    "{name: text, calls: int, succeeded: int, p95_ms: int|null, previous_calls: int,"              \
    " previous_succeeded: int, previous_p95_ms: int|null, " FILTER "}"
#define REASON "{reason: text|null, conversations: int, previous: int, " FILTER "}"
#define CAUSE  "{cause: text, conversations: int, previous: int, " FILTER "}"
#define A_DAY                                                                                      \
    "{day: date, conversations: int, messages: int, handed_over: int, handled_by_ai: int,"         \
    " unanswered: int, resolved_7d: int, sentiment_negative: int, sentiment_positive: int,"        \
    " rating: number|null, " FILTER "}"
#define ALL                                                                                        \
    "{period: " PERIOD ", previous_period: " PERIOD ", counted_until: time|null,"                  \
    " conversations_kept_from: date, insights: [" INSIGHT "], figures: [" FIGURE "],"              \
    " models: [" MODEL "], tools: [" TOOL "], handoff_reasons: [" REASON "],"                      \
    " handoff_causes: [" CAUSE "], days: [" A_DAY "]}"
#define GAPS                                                                                       \
    "{period: " PERIOD ", complete: bool, gaps: [{question: text|null, count: int,"                \
    " conversations: int, last_at: time, conversation_id: uuid, " FILTER "}]}"

static const struct admin_route routes[] = {
    {"GET", "analytics", ADMIN_STAFF, 0, show,
     .summary = "The figures of a period, beside those of the one before", .query = PARAMETER,
     .answer = ALL},
    {"GET", "knowledge-gaps", ADMIN_STAFF, 0, show_gaps,
     .summary = "What was asked that no source has", .query = PARAMETER, .answer = GAPS},
};

const struct admin_resource admin_analytics = {routes, sizeof(routes) / sizeof(routes[0])};
