/* ADM-6: tenant/analytics.h - figures of a period, and that each is made of the very
 * conversations that its filter finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema_fixture.h"
#include "tenant/analytics.h"
#include "tenant/conversation.h"
#include "tenant/rollup.h"

#define ORG   "5eed0000-0000-4000-8000-0000000000a1"
#define OTHER "5eed0000-0000-4000-8000-0000000000a2"

static struct pg_fixture pg;
static struct db *db;
static struct arena arena;

/* 100 conversations a day on five days of October and, half as many, the five before. */
static const char *const seed =
    "INSERT INTO organizations (id, name) VALUES ('" ORG "', 'Mine'), ('" OTHER "', 'Other');"
    "INSERT INTO conversations (org_id, session_id, title, user_identifier, score, handoff_at, "
    "handoff_reason, handoff_by, handoff_offered_for, channel, started_at, updated_at)"
    " SELECT CASE WHEN n % 10 = 9 THEN '" OTHER "' ELSE '" ORG
    "' END::uuid, d || '-' || n, n::text,"
    "        CASE WHEN n % 4 = 0 THEN 'v' || n END,"
    "        CASE WHEN n % 7 = 0 THEN 1 + n % 5 END,"
    "        CASE WHEN n % 8 = 0 THEN day END, CASE WHEN n % 16 = 0 THEN 'asked' END,"
    "        CASE WHEN n % 8 = 0 THEN CASE WHEN n % 24 = 0 THEN 'operator' ELSE 'visitor' END END,"
    "        CASE WHEN n % 40 = 0 THEN 'upset' END, CASE WHEN n = 97 THEN 'test' ELSE 'widget' END,"
    "        day, day"
    "   FROM generate_series(0, 9) d, generate_series(0, 99) n,"
    "        LATERAL (SELECT timestamptz '2026-10-01 00:00Z' + d * interval '1 day'"
    "                        + n * interval '14 min' AS day) x"
    "  WHERE d >= 5 OR n % 2 = 0;"
    "INSERT INTO messages (org_id, conversation_id, role, content, sentiment, created_at)"
    " SELECT org_id, id, 'user', 'hello', title::int % 5 - 2, started_at FROM conversations;"
    "INSERT INTO messages (org_id, conversation_id, role, content, route, rating, created_at, "
    "finished_at)"
    " SELECT org_id, id, 'assistant', 'hi', jsonb_build_object('first_token_ms', 100 + title::int),"
    "        CASE WHEN title::int % 5 = 0 THEN 'up' WHEN title::int % 11 = 0 THEN 'down' END,"
    "        started_at + interval '1 s', started_at + interval '3 s'"
    "   FROM conversations WHERE title::int % 20 <> 1;"
    "INSERT INTO usage_ledger (org_id, conversation_id, provider, model_id, tokens_input, "
    "tokens_output,"
    " cost_micro, created_at)"
    " SELECT org_id, id, 'p', CASE WHEN title::int % 3 = 0 THEN 'b/deep' ELSE 'a/fast' END, 10, 1, "
    "5,"
    "        started_at FROM conversations WHERE channel <> 'test';"
    "INSERT INTO api_usage (org_id, date, model_id, message_count, tokens_input, tokens_output,"
    " cost_estimate)"
    " SELECT org_id, (created_at AT TIME ZONE 'UTC')::date, model_id, count(*), sum(tokens_input),"
    "        sum(tokens_output), sum(cost_micro) FROM usage_ledger GROUP BY 1, 2, 3;"
    "INSERT INTO tool_executions (org_id, conversation_id, tool_name, status, success, "
    "execution_time_ms,"
    " created_at)"
    " SELECT org_id, id, 'look', CASE WHEN title::int % 4 = 0 THEN 'failed' ELSE 'done' END,"
    "        title::int % 4 > 0, title::int + 1, started_at FROM conversations WHERE title::int % "
    "2 = 0";

static int set_up(void **state)
{
    bool more = true;

    (void)state;
    arena_init(&arena);
    if (!schema_start(&pg))
        return -1;
    db = db_new(pg.app, "test");
    pg_do(&pg, seed);
    while (more) {
        if (rollup_conversations(db, &more) != DB_OK)
            return -1;
    }
    for (more = true; more;) {
        if (rollup_resolutions(db, &more) != DB_OK)
            return -1;
    }
    pg_do(&pg, "SELECT set_config('app.org_id', '" ORG "', false),"
               "       count_tools('2026-09-01', '2026-11-01')");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(db);
    arena_free(&arena);
    pg_end(&pg);
    return 0;
}

static const struct fd_json *analytics(const char *from, const char *to)
{
    struct period period;
    const char *field, *detail;
    struct fd_json_fault fault;
    struct buf out;

    assert_true(period_read(from, to, &period, &field, &detail));
    buf_init(&out, ANALYTICS_MAX);
    if (analytics_json(db, ORG, &period, &out) != DB_OK)
        fail_msg("%s", db_error(db));
    const struct fd_json *all = fd_json_parse(out.data, out.len, (struct fd_json_limits){0},
                                              arena_allocator(&arena), &fault);
    if (all == NULL)
        fail_msg("%s at %s: %s", fd_json_error_text(fault.error), fault.where, out.data);
    buf_free(&out);
    return all;
}

static const struct fd_json *named(const struct fd_json *list, const char *key, const char *name)
{
    for (const struct fd_json *item = list->child; item != NULL; item = item->next) {
        const char *text = fd_json_string(item, key);
        if (text != NULL && strcmp(text, name) == 0)
            return item;
    }
    fail_msg("there is no %s", name);
    return NULL;
}

static const struct fd_json *figure(const struct fd_json *all, const char *name)
{
    return named(fd_json_get(all, "figures"), "name", name);
}

static const char *value(const void *from, const char *name)
{
    return fd_json_string(from, name);
}

/* The conversations that a figure's own filter finds. */
static PGresult *rows_behind(const struct fd_json *item)
{
    struct conversation_filter filter;
    struct conversation_fault fault;
    PGresult *rows;

    if (!conversation_filter_read(&arena, value, fd_json_get(item, "filter"), &filter, &fault))
        fail_msg("%s: %s", fault.field, fault.detail);
    assert_int_equal(
        conversation_list(db, ORG, &filter, (struct conversation_place){0}, 10000, &rows), DB_OK);
    return rows;
}

static int64_t behind(const struct fd_json *item)
{
    PGresult *rows = rows_behind(item);
    int count = PQntuples(rows);

    PQclear(rows);
    return count;
}

/* As the rows themselves say, not by what was counted of them. */
static int64_t truth(const char *condition)
{
    char sql[1024];

    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM conversations c WHERE org_id = '" ORG
             "' AND channel <> 'test' AND started_at >= '2026-10-06Z'"
             " AND started_at < '2026-10-11Z' AND %s",
             condition);
    return strtoll(pg_do(&pg, sql), NULL, 10);
}

static void test_figures(void **state)
{
    static const char *const cases[][2] = {
        {"conversations", "true"},
        {"handled_by_ai", "handoff_at IS NULL AND title::int % 20 <> 1"},
        {"handed_over", "handoff_at IS NOT NULL"},
        {"rated", "score IS NOT NULL"},
        {"feedback_up", "title::int % 20 <> 1 AND title::int % 5 = 0"},
        {"feedback_down", "title::int % 20 <> 1 AND title::int % 5 <> 0 AND title::int % 11 = 0"},
        {"unanswered", "handoff_at IS NULL AND title::int % 20 = 1"},
        {"rated_ai", "score IS NOT NULL AND handoff_at IS NULL AND title::int % 20 <> 1"},
        {"rated_human", "score IS NOT NULL AND handoff_at IS NOT NULL"},
        {"sentiment_negative", "title::int % 5 < 2"},
        {"sentiment_neutral", "title::int % 5 = 2"},
        {"sentiment_positive", "title::int % 5 > 2"},
        /* who has a name came back the next day, but on the last */
        {"resolved_7d", "title::int % 20 <> 1 AND (title::int % 4 <> 0 OR started_at >= "
                        "'2026-10-10Z')"},
        {"unresolved_7d", "(title::int % 20 = 1 OR (title::int % 4 = 0 AND started_at < "
                          "'2026-10-10Z'))"},
    };
    const struct fd_json *all = analytics("2026-10-06", "2026-10-10");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct fd_json *f = figure(all, cases[i][0]);
        int64_t wanted = truth(cases[i][1]);
        assert_true(wanted > 0);
        if (fd_json_int(f, "value", -1) != wanted || behind(f) != wanted)
            fail_msg("%s: %d counted, %d behind it, %d there", cases[i][0],
                     (int)fd_json_int(f, "value", -1), (int)behind(f), (int)wanted);
    }
    assert_int_equal(fd_json_int(figure(all, "messages"), "value", 0), truth("true"));
    assert_string_equal(fd_json_string(fd_json_get(all, "previous_period"), "from"), "2026-10-01");
    assert_string_equal(fd_json_string(fd_json_get(all, "previous_period"), "to"), "2026-10-05");
    const struct fd_json *before = analytics("2026-10-01", "2026-10-05");
    assert_int_equal(fd_json_int(figure(all, "conversations"), "previous", -1),
                     fd_json_int(figure(before, "conversations"), "value", -2));
    /* to a fortieth */
    assert_float_equal(fd_json_double(figure(all, "response_ms_p50"), "value", 0), 2000, 50);
    assert_float_equal(fd_json_double(figure(all, "first_token_ms_p95"), "value", 0), 194, 6);
}

/* What a figure says that it is made of is what its filter finds. */
static void test_every_figure(void **state)
{
    const struct fd_json *all = analytics("2026-10-06", "2026-10-10");
    const struct fd_json *list = fd_json_get(all, "figures");

    (void)state;
    for (const struct fd_json *f = list->child; f != NULL; f = f->next) {
        int64_t said = fd_json_int(f, "conversations", -1), found = behind(f);
        if (said != found)
            fail_msg("%s is of %d, and %d are found", fd_json_string(f, "name"), (int)said,
                     (int)found);
        if (fd_json_get(f, "value")->type == FD_JSON_NULL && said > 0)
            fail_msg("%s has no value", fd_json_string(f, "name"));
    }
    assert_true(list->count >= 30);
    assert_int_equal(fd_json_int(figure(all, "undecided_7d"), "value", -1), 0);
    double sum = strtod(pg_do(&pg, "SELECT avg(score) FROM conversations WHERE org_id = '" ORG
                                   "' AND channel <> 'test' AND handoff_at IS NOT NULL AND"
                                   " started_at BETWEEN '2026-10-06Z' AND '2026-10-11Z'"),
                        NULL);
    assert_float_equal(fd_json_double(figure(all, "rating_human"), "value", 0), sum, 0.005);
    assert_float_equal(fd_json_double(figure(all, "length"), "value", 0),
                       1 + (double)truth("title::int % 20 <> 1") / (double)truth("true"), 0.005);
    assert_int_equal(fd_json_int(figure(all, "length_p95"), "value", 0), 2);
    assert_float_equal(fd_json_double(figure(all, "resolution_ms_p50"), "value", 0), 3000, 75);
    for (int i = 0; i < 2; i++) {
        const struct fd_json *by = fd_json_get(all, i == 0 ? "handoff_reasons" : "handoff_causes");
        int64_t each = 0;
        for (const struct fd_json *reason = by->child; reason != NULL; reason = reason->next) {
            each += fd_json_int(reason, "conversations", -1);
            assert_int_equal(behind(reason), fd_json_int(reason, "conversations", -1));
        }
        assert_true(by->count > 1);
        assert_int_equal(each, truth("handoff_at IS NOT NULL"));
    }
    assert_int_equal(behind(named(fd_json_get(all, "handoff_causes"), "cause", "upset")),
                     truth("title::int % 40 = 0 AND title::int % 24 <> 0"));
}

/* The rows say what the figure counts. */
static void test_rows_show_it(void **state)
{
    static const struct {
        const char *figure;
        enum conversation_column column;
        const char *shown;
    } cases[] = {{"resolved_7d", CONVERSATION_RESOLVED, "true"},
                 {"unresolved_7d", CONVERSATION_RESOLVED, "false"},
                 {"sentiment_negative", CONVERSATION_SENTIMENT, "negative"},
                 {"sentiment_neutral", CONVERSATION_SENTIMENT, "neutral"},
                 {"sentiment_positive", CONVERSATION_SENTIMENT, "positive"}};
    const struct fd_json *all = analytics("2026-10-06", "2026-10-10");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        PGresult *rows = rows_behind(figure(all, cases[i].figure));
        assert_true(PQntuples(rows) > 0);
        for (int row = 0; row < PQntuples(rows); row++)
            assert_string_equal(db_text(rows, row, cases[i].column), cases[i].shown);
        PQclear(rows);
    }
}

static void test_insights(void **state)
{
    const struct fd_json *all = analytics("2026-10-06", "2026-10-10");
    const struct fd_json *insights = fd_json_get(all, "insights");
    const struct fd_json *change = named(insights, "kind", "biggest_change");
    const struct fd_json *tool = named(insights, "kind", "failing_tool");
    const struct fd_json *model = named(insights, "kind", "dearest_model");

    (void)state;
    assert_string_equal(fd_json_string(change, "text_key"), "insight.biggest_change.up");
    const struct fd_json *values = fd_json_get(change, "values");
    const struct fd_json *f = figure(all, fd_json_string(values, "figure"));
    assert_float_equal(fd_json_double(values, "value", -1), fd_json_double(f, "value", -2), 0);
    assert_float_equal(fd_json_double(values, "previous", -1), fd_json_double(f, "previous", -2),
                       0);
    assert_int_equal(behind(change), fd_json_int(f, "conversations", -1));
    assert_string_equal(fd_json_string(fd_json_get(tool, "values"), "tool"), "look");
    assert_int_equal(fd_json_int(fd_json_get(tool, "values"), "failed", 0),
                     truth("title::int % 4 = 0"));
    assert_string_equal(fd_json_string(fd_json_get(model, "values"), "model_id"), "a/fast");
    assert_int_equal(behind(model), truth("title::int % 3 <> 0"));
    assert_int_equal(fd_json_get(analytics("2025-01-01", "2025-12-31"), "insights")->count, 0);
}

static void test_models_and_tools(void **state)
{
    const struct fd_json *all = analytics("2026-10-06", "2026-10-10");
    const struct fd_json *deep = named(fd_json_get(all, "models"), "model_id", "b/deep");
    const struct fd_json *look = named(fd_json_get(all, "tools"), "name", "look");

    (void)state;
    assert_int_equal(fd_json_int(deep, "answers", 0), truth("title::int % 3 = 0"));
    assert_int_equal(behind(deep), truth("title::int % 3 = 0"));
    assert_int_equal(fd_json_int(deep, "cost_micro", 0), 5 * truth("title::int % 3 = 0"));
    assert_true(fd_json_int(deep, "previous_cost_micro", 0) > 0);
    assert_int_equal(fd_json_int(look, "calls", 0), truth("title::int % 2 = 0"));
    assert_int_equal(fd_json_int(look, "succeeded", 0), truth("title::int % 4 = 2"));
    assert_int_equal(behind(look), truth("title::int % 2 = 0"));
    int64_t p95 = fd_json_int(look, "p95_ms", 0); /* 95 ms, within a step */
    assert_true(p95 >= 93 && p95 <= 93 * 6 / 5 + 1);
    const struct fd_json *reasons = fd_json_get(all, "handoff_reasons");
    assert_int_equal(behind(reasons->child), fd_json_int(reasons->child, "conversations", -1));
    const struct fd_json *asked = named(reasons, "reason", "asked");
    assert_int_equal(behind(asked), truth("handoff_reason = 'asked'"));
    assert_int_equal(fd_json_get(all, "days")->count, 5);
    const struct fd_json *day = fd_json_get(all, "days")->child;
    assert_int_equal(behind(day), fd_json_int(day, "conversations", -1));
}

static void test_nothing_counted(void **state)
{
    const struct fd_json *all = analytics("2025-01-01", "2025-12-31");

    (void)state;
    assert_int_equal(fd_json_int(figure(all, "conversations"), "value", -1), 0);
    assert_int_equal(fd_json_int(figure(all, "unanswered"), "value", -1), 0);
    assert_int_equal(fd_json_get(figure(all, "rating"), "value")->type, FD_JSON_NULL);
    assert_int_equal(fd_json_get(all, "models")->count, 0);
    assert_non_null(fd_json_string(all, "counted_until"));
    assert_non_null(fd_json_string(all, "conversations_kept_from"));
}

static void test_periods(void **state)
{
    static const char *const bad[][3] = {
        {"2026-10-02", "2026-10-01", "from"}, {"2025-01-01", "2026-01-02", "from"},
        {"2026-13-01", NULL, "from"},         {NULL, "tomorrow", "to"},
        {"2026-02-30", "2026-03-01", "from"},
    };
    struct period period;
    const char *field, *detail;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(period_read(bad[i][0], bad[i][1], &period, &field, &detail));
        assert_string_equal(field, bad[i][2]);
    }
    assert_true(period_read(NULL, "2026-03-01", &period, &field, &detail));
    assert_string_equal(period.from, "2026-01-31");
    assert_true(period_read("2024-01-01", "2024-12-31", &period, &field, &detail));
    assert_true(period_read(NULL, NULL, &period, &field, &detail));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"ADM-6: each figure is the conversations behind it", test_figures, NULL, NULL, NULL},
        {"ADM-6: ADM-4: the rows behind a figure show what it counts", test_rows_show_it, NULL,
         NULL, NULL},
        {"ADM-6: every figure is of as many as its filter finds", test_every_figure, NULL, NULL,
         NULL},
        {"ADM-6: what is to be looked at first", test_insights, NULL, NULL, NULL},
        {"ADM-6: models and tools, with what they cost and how long they took",
         test_models_and_tools, NULL, NULL, NULL},
        {"ADM-6: a period of nothing", test_nothing_counted, NULL, NULL, NULL},
        {"ADM-6: periods", test_periods, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
