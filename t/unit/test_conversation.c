/* ADM-4: tenant/conversation*.h - what operators find, see and take with them of their
 * conversations, and that it is theirs alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema_fixture.h"
#include "tenant/conversation_export.h"
#include "tenant/day.h"

#define ORG   "5eed0000-0000-4000-8000-0000000000a1"
#define OTHER "5eed0000-0000-4000-8000-0000000000a2"
#define C1    "c0000000-0000-4000-8000-000000000001"
#define C2    "c0000000-0000-4000-8000-000000000002"
#define C3    "c0000000-0000-4000-8000-000000000003"
#define C4    "c0000000-0000-4000-8000-000000000004"
#define FAR   "c0000000-0000-4000-8000-0000000000ff" /* of the other organisation */

static struct pg_fixture pg;
static struct db *db;
static struct arena arena;

/* clang-format off */
static const char *const seed =
    "INSERT INTO organizations (id, name) VALUES ('" ORG "', 'Mine'), ('" OTHER "', 'Other');"
    "INSERT INTO conversations (id, org_id, session_id, user_identifier, title, language, "
    "status, channel, score, handoff_at, handoff_reason, started_at, updated_at) VALUES "
    "('" C1 "', '" ORG "', 's1', 'Ann@x.example', '=SUM(A1)', 'en', 'active', 'widget', 5, NULL, "
    " NULL, '2026-10-01 10:00', '2026-10-09 10:00'), ('" C2 "', '" ORG "', 's2', 'bob', "
    "'refunds', 'he', 'archived', 'widget', NULL,  '2026-10-02 11:00', 'asked', '2026-10-02 "
    "10:00', '2026-10-02 10:00'), ('" C3 "', '" ORG "', 's3', NULL, 'third', 'en', 'human', "
    "'email', 1, NULL, NULL,  '2026-10-02 10:00', '2026-10-05 10:00'), ('" C4 "', '" ORG "', "
    "'s4', NULL, '', NULL, 'ended', 'widget', NULL, NULL, NULL,  '2026-10-31 23:59:59', "
    "'2026-10-31 23:59:59'), ('" FAR "', '" OTHER "', 's9', 'bob', 'refund of others', 'en', "
    "'active', 'widget', NULL, NULL,  NULL, '2026-10-02 10:00', '2026-10-02 10:00');"
    "INSERT INTO jobs (id, org_id, session_id, conversation_id, epoch, owner, state, body, "
    "accepted_at) VALUES ('0-a', '" ORG "', 's1', '" C1 "', 1, 'w', 'done', '{}', '2026-10-01 "
    "10:00'),        ('0-b', '" ORG "', 's1', '" C1 "', 1, 'w', 'failed', '{}', '2026-10-01 "
    "11:00');"
    "INSERT INTO messages (org_id, conversation_id, role, content, model_id, citations, route, "
    "job_id, rating, created_at, finished_at) VALUES ('" ORG "', '" C1 "', 'user', 'Where is my "
    "blue umbrella?', NULL, NULL, NULL, '0-a', NULL,  '2026-10-01 10:00', NULL), ('" ORG "', "
    "'" C1 "', 'assistant', 'It is on its way \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d', 'a/fast',  "
    "'[{\"id\": \"article:x\", \"label\": \"X\"}]', '{\"tier\": \"fast\", \"first_token_ms\": "
    "250}', '0-a',  'up', '2026-10-01 10:00:00.000001', '2026-10-01 10:00:02'), ('" ORG "', "
    "'" C1 "', 'user', 'and the refund?', NULL, NULL, NULL, '0-b', NULL,  '2026-10-01 11:00', "
    "NULL), ('" ORG "', '" C2 "', 'user', 'refunds please', NULL, NULL, NULL, NULL, NULL,  "
    "'2026-10-02 10:00', NULL), ('" ORG "', '" C2 "', 'operator', 'I am a person', NULL, NULL, "
    "NULL, NULL, NULL,  '2026-10-02 10:05', NULL), ('" OTHER "', '" FAR "', 'user', 'umbrella of "
    "others', NULL, NULL, NULL, NULL, NULL,  '2026-10-02 10:00', NULL);"
    "INSERT INTO tool_executions (org_id, conversation_id, job_id, call_id, tool_name, "
    "parameters, response, success, status, execution_time_ms, created_at) VALUES ('" ORG "', "
    "'" C1 "', '0-a', 'k1', 'get_order_status', '{\"n\": 1}', '{\"ok\": true}', true, 'done',  "
    "40, '2026-10-01 10:00'), ('" ORG "', '" C1 "', '0-b', 'k2', 'refund', '{}', NULL, false, "
    "'failed', 90, '2026-10-01 11:00');"
    "INSERT INTO usage_ledger (org_id, conversation_id, job_id, epoch, attempt, provider, "
    "model_id, tokens_input, tokens_output, cost_micro, created_at) VALUES ('" ORG "', '" C1 "', "
    "'0-a', 1, 0, 'p', 'a/fast', 100, 20, 1500, '2026-10-01 10:00'), ('" ORG "', '" C1 "', "
    "'0-a', 1, 1, 'p', 'b/deep', 10, 2, 500, '2026-10-03 10:00'), ('" ORG "', '" C1 "', '0-b', "
    "1, 0, 'p', 'a/fast', 1, 1, NULL, '2026-10-01 11:00')";
/* clang-format on */

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    if (!schema_start(&pg))
        return -1;
    db = db_new(pg.app, "test");
    pg_do(&pg, seed);
    pg_do(&pg, "SELECT platform_roll_up(1000)");
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

/* -- the filter ------------------------------------------------------------------------------ */

static const char *from_query(const void *from, const char *name)
{
    const char *at = from;
    size_t len = strlen(name);

    for (; at != NULL && *at != '\0'; at = strchr(at, '&') != NULL ? strchr(at, '&') + 1 : NULL) {
        if (strncmp(at, name, len) == 0 && at[len] == '=')
            return arena_strndup(&arena, at + len + 1, strcspn(at + len + 1, "&"));
    }
    return NULL;
}

static struct conversation_filter filter_of(const char *query)
{
    struct conversation_filter filter;
    struct conversation_fault fault;

    if (!conversation_filter_read(&arena, from_query, query, &filter, &fault))
        fail_msg("%s: %s", fault.field, fault.detail);
    return filter;
}

/* The last digits of the ids that fit, in order. */
static const char *found(const char *query)
{
    struct conversation_filter filter = filter_of(query);
    char *ids = arena_zalloc(&arena, 64);
    PGresult *rows;

    if (conversation_list(db, ORG, &filter, (struct conversation_place){0}, 50, &rows) != DB_OK)
        fail_msg("%s: %s", query, db_error(db));
    for (int row = 0; row < PQntuples(rows); row++)
        strncat(ids, db_text(rows, row, CONVERSATION_ID) + 35, 1);
    PQclear(rows);
    return ids;
}

static void test_filters(void **state)
{
    static const char *const cases[][2] = {
        {"", "4321"},
        {"order=recent", "4132"},
        {"status=archived", "2"},
        {"status=active", "1"},
        {"language=en", "31"},
        {"channel=email", "3"},
        {"channel=sms", ""},
        {"user=ann@X.example", "1"},
        {"from=2026-10-02", "432"},
        {"to=2026-10-02", "321"}, /* the whole day */
        {"from=2026-10-02&to=2026-10-02", "32"},
        {"from=2026-10-31&to=2026-10-31", "4"},
        {"rating=5", "1"},
        {"rating=any", "31"},
        {"feedback=up", "1"},
        {"feedback=down", ""},
        {"has_feedback=true", "1"},
        {"has_feedback=false", "432"},
        {"handled=ai", "1"},
        {"handled=human", "2"},
        {"handled=nobody", "43"},
        {"handoff=true", "2"},
        {"handoff=false", "431"},
        {"handoff_reason=asked", "2"},
        {"model=b/deep", "1"},
        {"model=b/deep&active_from=2026-10-03&active_to=2026-10-03", "1"},
        {"model=a/fast&active_from=2026-10-03", ""},
        {"tool=refund", "1"},
        {"tool=refund&active_to=2026-09-30", ""},
        {"status=active&language=he", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(found(cases[i][0]), cases[i][1]) != 0)
            fail_msg("%s: %s, not %s", cases[i][0], found(cases[i][0]), cases[i][1]);
    }
}

static void test_search(void **state)
{
    static const char *const cases[][2] = {
        {"q=umbrella", "1"},
        {"q=UMBR", "1"}, /* the beginning of a word */
        {"q=um", ""},    /* three letters at the least */
        {"q=refund", "21"},
        {"q=refund -umbrella", "2"},
        {"q=\"blue umbrella\"", "1"},
        {"q=\"umbrella blue\"", ""},
        {"q=\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "1"},
        {"q=bob", "2"},
        {"q=umbrella or person", "21"},
        {"q=others", ""},
        {"q=' & | ! :* ( <->", ""},
        {"q=refund&status=archived", "2"},
        {"q=refund&order=recent", "21"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *ids = found(cases[i][0]);
        if (strcmp(ids, cases[i][1]) != 0)
            fail_msg("%s: %s, not %s", cases[i][0], ids, cases[i][1]);
    }
}

static void test_bad_filters(void **state)
{
    static const char *const bad[][2] = {
        {"from=2026-02-30", "from"},
        {"to=yesterday", "to"},
        {"status=gone", "status"},
        {"status=|", "status"},
        {"status=active|archived", "status"},
        {"rating=6", "rating"},
        {"rating=", "rating"},
        {"feedback=maybe", "feedback"},
        {"has_feedback=1", "has_feedback"},
        {"feedback=up&has_feedback=true", "has_feedback"},
        {"q=", "q"},
        {"order=best", "order"},
        {"handled=dog", "handled"},
        {"active_to=2026-13-01", "active_to"},
        {"q=\xff", "q"},
        {"q=a\x01", "q"},
        {"user=two\nlines", "user"},
        {"handoff_reason=\x1b[2J", "handoff_reason"},
        {"channel=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "channel"},
    };
    struct conversation_filter filter;
    struct conversation_fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (conversation_filter_read(&arena, from_query, bad[i][0], &filter, &fault))
            fail_msg("%s is taken", bad[i][0]);
        assert_string_equal(fault.field, bad[i][1]);
        assert_non_null(fault.detail);
    }
    assert_true(day_valid("2024-02-29") && day_valid("2000-12-31"));
    assert_false(day_valid("2100-02-29") || day_valid("2026-00-10") || day_valid("2026-10-00") ||
                 day_valid("2026-1-01") || day_valid("20261-1-1") || day_valid(""));
}

/* ADM-4: whatever a client sends is answered: texts of the most bytes that JSON makes the most
 * of, and of those that are refused. */
static void test_the_longest_filter(void **state)
{
    static const struct {
        const char *name;
        size_t len;
    } texts[] = {{"q", 200},     {"language", 35},         {"channel", 32}, {"user", 256},
                 {"model", 128}, {"handoff_reason", 2000}, {"tool", 64}};
    struct conversation_filter filter;
    struct conversation_fault fault;

    (void)state;
    for (size_t kind = 0; kind < 2; kind++) {
        struct buf query;
        buf_init(&query, 65536);
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            buf_printf(&query, "%s=", texts[i].name);
            for (size_t k = 0; k < texts[i].len; k++)
                buf_puts(&query, kind == 0 ? "\"" : "\x01");
            buf_puts(&query, "&");
        }
        bool taken = conversation_filter_read(&arena, from_query, query.data, &filter, &fault);
        assert_int_equal(taken, kind == 0);
        if (taken)
            assert_true(strlen(filter.json) > 2 * 2715);
        buf_free(&query);
    }
    filter = filter_of("handoff_reason=one\ntwo");
    assert_string_equal(filter.json, "{\"handoff_reason\":\"one\\ntwo\"}");
}

/* ADM-4: over all organisations, what names something of one of them, or is looked for in its own
 * part, is refused by name. */
static void test_of_one(void **state)
{
    static const char *const own[] = {"q", "team", "user", "handoff_reason", "gap", "tool"};

    (void)state;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        const char *query = arena_printf(&arena, "status=active&%s=x&from=2026-01-01", own[i]);
        const char *refused = conversation_filter_of_one(from_query, query);
        assert_non_null(refused);
        assert_string_equal(refused, own[i]);
    }
    assert_null(conversation_filter_of_one(
        from_query, "status=active&channel=sms&language=en&rating=1&model=m&from=2026-01-01"
                    "&to=2026-01-02&handled=ai&feedback=up&sentiment=any&resolved=true"));
}

/* Two began at the same moment: their ids decide, and no page misses or doubles one. */
static void test_pages(void **state)
{
    const char *const queries[] = {"", "order=recent", "q=refund"};
    const char *const whole[] = {"4321", "4132", "21"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct conversation_filter filter = filter_of(queries[i]);
        struct conversation_place after = {0};
        char ids[8] = "";
        PGresult *rows;
        for (size_t page = 0; page < strlen(whole[i]); page++) {
            assert_int_equal(conversation_list(db, ORG, &filter, after, 1, &rows), DB_OK);
            assert_int_equal(PQntuples(rows), 1);
            strncat(ids, db_text(rows, 0, CONVERSATION_ID) + 35, 1);
            after.at = arena_strdup(&arena, db_text(rows, 0, CONVERSATION_AT));
            after.id = arena_strdup(&arena, db_text(rows, 0, CONVERSATION_ID));
            PQclear(rows);
        }
        assert_string_equal(ids, whole[i]);
        assert_int_equal(conversation_list(db, ORG, &filter, after, 1, &rows), DB_OK);
        assert_int_equal(PQntuples(rows), 0);
        PQclear(rows);
    }
}

/* -- one ------------------------------------------------------------------------------------------
 */

static void test_transcript(void **state)
{
    PGresult *rows;

    (void)state;
    assert_int_equal(conversation_messages(db, ORG, C1, (struct conversation_place){0}, 10, &rows),
                     DB_OK);
    assert_int_equal(PQntuples(rows), 3);
    assert_null(db_text(rows, 0, MESSAGE_TOOLS)); /* they stand with the answer */
    assert_null(db_text(rows, 0, MESSAGE_COST_MICRO));
    assert_non_null(strstr(db_text(rows, 1, MESSAGE_TOOLS), "get_order_status"));
    assert_int_equal(db_int(rows, 1, MESSAGE_COST_MICRO, -1), 2000);
    assert_int_equal(db_int(rows, 1, MESSAGE_TOKENS_INPUT, -1), 110);
    assert_string_equal(db_text(rows, 1, MESSAGE_RATING), "up");
    assert_non_null(strstr(db_text(rows, 2, MESSAGE_TOOLS), "refund")); /* no answer came */
    assert_null(db_text(rows, 2, MESSAGE_COST_MICRO));                  /* a price is not known */
    assert_int_equal(db_int(rows, 2, MESSAGE_TOKENS_OUTPUT, -1), 1);
    PQclear(rows);
    assert_int_equal(conversation_find(db, ORG, C1, &rows), DB_OK);
    assert_int_equal(db_int(rows, 0, CONVERSATION_FIRST_TOKEN_MS, 0), 250);
    assert_int_equal(db_int(rows, 0, CONVERSATION_RESPONSE_MS, 0), 2000);
    assert_int_equal(db_int(rows, 0, CONVERSATION_TOOL_FAILURES, 0), 1);
    assert_int_equal(db_int(rows, 0, CONVERSATION_RATING, 0), 5);
    PQclear(rows);
}

static enum db_status update(const char *id, const char *status, const char *title,
                             enum conversation_change *change, PGresult **row)
{
    const struct conversation_edit edit = {.status = status, .title = title};

    return conversation_update(db, ORG, id, &edit, change, row);
}

static void test_whose(void **state)
{
    enum conversation_change change;
    PGresult *rows;

    (void)state;
    assert_int_equal(conversation_find(db, ORG, FAR, &rows), DB_OK);
    assert_int_equal(PQntuples(rows), 0);
    PQclear(rows);
    assert_int_equal(conversation_find(db, ORG, "no id", &rows), DB_OK);
    assert_int_equal(PQntuples(rows), 0);
    PQclear(rows);
    assert_int_equal(conversation_messages(db, ORG, FAR, (struct conversation_place){0}, 10, &rows),
                     DB_OK);
    assert_int_equal(PQntuples(rows), 0);
    PQclear(rows);
    assert_int_equal(update(FAR, "archived", "mine now", &change, &rows), DB_OK);
    assert_int_equal(change, CONVERSATION_UNKNOWN);
    PQclear(rows);
    assert_string_equal(pg_do(&pg, "SELECT title FROM conversations WHERE id = '" FAR "'"),
                        "refund of others");
}

static void test_change(void **state)
{
    enum conversation_change change;
    PGresult *row;

    (void)state;
    assert_int_equal(update(C4, "active", NULL, &change, &row), DB_OK);
    assert_int_equal(change, CONVERSATION_OVER); /* not revived */
    assert_string_equal(db_text(row, 0, CONVERSATION_STATUS), "ended");
    PQclear(row);
    pg_do(&pg, "UPDATE conversations SET status = 'active' WHERE id = '" C4 "'");
    assert_int_equal(update(C4, "archived", NULL, &change, &row), DB_OK);
    assert_int_equal(change, CONVERSATION_CHANGED);
    assert_string_equal(db_text(row, 0, CONVERSATION_STATUS), "archived");
    PQclear(row);
    assert_int_equal(update(C4, "active", "named", &change, &row), DB_OK);
    assert_string_equal(db_text(row, 0, CONVERSATION_TITLE), "named");
    assert_string_equal(db_text(row, 0, CONVERSATION_UPDATED), "2026-10-31T23:59:59.000Z");
    PQclear(row);
    assert_int_equal(update(C3, "archived", NULL, &change, &row), DB_OK);
    assert_int_equal(change, CONVERSATION_WITH_PEOPLE);
    PQclear(row);
    assert_int_equal(update(C3, NULL, "titled", &change, &row), DB_OK);
    assert_int_equal(change, CONVERSATION_CHANGED);
    PQclear(row);
    pg_do(&pg, "UPDATE conversations SET status = 'ended', title = '' WHERE id = '" C4 "';"
               "UPDATE conversations SET title = 'third' WHERE id = '" C3 "'");
}

/* -- exports
 * ------------------------------------------------------------------------------------------ */

static char *whole_of(struct conversation_export *x, size_t *parts)
{
    struct buf out;
    bool more = true;

    buf_init(&out, CONVERSATION_PART_MAX);
    for (*parts = 0; more; (*parts)++)
        assert_int_equal(conversation_export_next(x, db, &out, &more), DB_OK);
    conversation_export_free(x);
    char *text = arena_strndup(&arena, out.data, out.len);
    buf_free(&out);
    return text;
}

static char *export_of(const char *query, enum conversation_format format)
{
    struct conversation_filter filter = filter_of(query);
    size_t parts;

    return whole_of(conversation_export_many(ORG, &filter, format), &parts);
}

static char *export_one(const char *id, enum conversation_format format, size_t *parts)
{
    PGresult *row;

    assert_int_equal(conversation_find(db, ORG, id, &row), DB_OK);
    return whole_of(conversation_export_one(ORG, row, format), parts);
}

static const struct fd_json *parse(const char *text)
{
    struct fd_json_fault fault;
    const struct fd_json *value =
        fd_json_parse(text, strlen(text), (struct fd_json_limits){.nodes = 100000},
                      arena_allocator(&arena), &fault);
    if (value == NULL)
        fail_msg("%s at %zu", fd_json_error_text(fault.error), fault.offset);
    return value;
}

static void test_csv(void **state)
{
    char *csv = export_of("", CONVERSATION_CSV);
    size_t parts;

    (void)state;
    assert_memory_equal(csv,
                        "\xEF\xBB\xBF"
                        "id,started_at,",
                        3 + 14);
    assert_non_null(strstr(csv, ",\"'=SUM(A1)\",active,widget,en,Ann@x.example,")); /* no formula */
    assert_non_null(strstr(csv, "\r\n" C4 ",2026-10-31T23:59:59.000Z,"));
    assert_null(strstr(csv, "others"));
    csv = export_one(C1, CONVERSATION_CSV, &parts);
    assert_non_null(
        strstr(csv, ",assistant,,It is on its way \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d,complete,up,,"
                    "a/fast,110,22,0.00"));
    assert_non_null(strstr(csv, "\"\"name\"\": \"\"get_order_status\"\""));
}

static void test_json(void **state)
{
    const struct fd_json *all = parse(export_of("", CONVERSATION_JSON));

    (void)state;
    assert_int_equal(all->type, FD_JSON_ARRAY);
    assert_int_equal(all->count, 4);
    assert_string_equal(fd_json_string(all->child, "id"), C4);
    const struct fd_json *last = all->child->next->next->next;
    const struct fd_json *messages = fd_json_get(last, "messages");
    assert_int_equal(messages->count, 3);
    const struct fd_json *answer = messages->child->next;
    assert_string_equal(fd_json_string(fd_json_get(answer, "route"), "tier"), "fast");
    assert_string_equal(fd_json_string(fd_json_get(answer, "citations")->child, "id"), "article:x");
    assert_int_equal(
        fd_json_int(fd_json_get(fd_json_get(answer, "tools")->child, "parameters"), "n", 0), 1);
    assert_null(strstr(export_of("", CONVERSATION_JSONL), "\"s1\"")); /* no session's id */
    assert_string_equal(export_of("status=active&language=he", CONVERSATION_JSON), "[]\n");
    assert_string_equal(export_of("status=active&language=he", CONVERSATION_JSONL), "");
}

/* More conversations than a page and more messages than a page: all there, once, in parts. */
static void test_many(void **state)
{
    size_t parts, lines = 0;

    (void)state;
    pg_do(&pg, "INSERT INTO conversations (org_id, session_id, channel, started_at, updated_at)"
               " SELECT '" ORG
               "', 'm' || n, 'sms', '2026-09-01', '2026-09-01' FROM generate_series(1, 250) n;"
               "INSERT INTO messages (org_id, conversation_id, role, content, created_at)"
               " SELECT '" ORG "', '" C4 "', 'user', repeat('x', 1000) || n,"
               "        timestamptz '2026-10-31' + n * interval '1 "
               "second' FROM generate_series(1, 450) n");
    const char *text = export_of("channel=sms", CONVERSATION_JSONL);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 250);
    assert_int_equal(parse(export_of("channel=sms", CONVERSATION_JSON))->count, 250);
    const struct fd_json *one = parse(export_one(C4, CONVERSATION_JSON, &parts));
    assert_int_equal(fd_json_get(one, "messages")->count, 450);
    assert_true(parts >= 3);
    pg_do(&pg, "DELETE FROM conversations WHERE channel = 'sms';"
               "DELETE FROM messages WHERE conversation_id = '" C4 "'");
}

/* -- what is counted
 * ------------------------------------------------------------------------------------- */

static const char *outcome(const char *column)
{
    char sql[256];

    snprintf(sql, sizeof(sql),
             "SELECT %s FROM conversation_outcomes WHERE conversation_id = '" C2 "'", column);
    pg_do(&pg, "SELECT platform_roll_up(1000)");
    return pg_do(&pg, sql);
}

static void test_signals_are_counted(void **state)
{
    (void)state;
    pg_do(&pg, "UPDATE conversations SET score = 4 WHERE id = '" C2 "'");
    assert_string_equal(outcome("rating"), "4");
    pg_do(&pg,
          "UPDATE messages SET rating = 'down' WHERE conversation_id = '" C2 "' AND role = 'user'");
    assert_string_equal(outcome("feedback_down"), "1");
    pg_do(&pg, "UPDATE messages SET rating = NULL WHERE conversation_id = '" C2 "'");
    assert_string_equal(outcome("feedback_down"), "0"); /* taken back */
    pg_do(&pg,
          "UPDATE messages SET rating = 'down' WHERE conversation_id = '" C2 "' AND role = 'user'");
    assert_string_equal(outcome("feedback_down"), "1");
    pg_do(&pg, "DELETE FROM messages WHERE conversation_id = '" C2 "';"
               "UPDATE conversations SET score = 3 WHERE id = '" C2 "'");
    assert_string_equal(outcome("rating"), "3");
    assert_string_equal(outcome("feedback_down"), "1"); /* deleted is not taken back */
    assert_string_equal(outcome("questions || ' ' || replies"), "1 1");
}

/* In steps smaller than what there is, and none is left out. */
static void test_roll_up_in_steps(void **state)
{
    (void)state;
    pg_do(&pg, "TRUNCATE conversation_outcomes, conversation_search;"
               "UPDATE marks SET at = '-infinity'");
    for (int i = 0; i < 12; i++)
        pg_do(&pg, "SELECT platform_roll_up(2)");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM conversation_outcomes"), "5");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM conversation_search"), "5");
}

/* Words that are more than an index holds are one conversation's loss. */
static void test_words_without_end(void **state)
{
    (void)state;
    assert_string_equal(
        pg_do(&pg,
              "SELECT words_of(string_agg(chr(19968 + n / 900) || chr(20000 + n % 900), '-')) = ''"
              "  FROM generate_series(1, 300000) n"),
        "t");
    pg_do(&pg, "INSERT INTO conversations (id, org_id, session_id, channel, started_at, updated_at)"
               " VALUES ('c0000000-0000-4000-8000-0000000000f1', '" ORG "', 'f1', 'long',"
               "         now() - interval '2 h', now()),"
               "        ('c0000000-0000-4000-8000-0000000000f2', '" ORG "', 'f2', 'long',"
               "         now() - interval '2 h', now());"
               "INSERT INTO messages (org_id, conversation_id, role, content, created_at)"
               " SELECT '" ORG "', 'c0000000-0000-4000-8000-0000000000f1', 'user',"
               "        (SELECT string_agg(chr(19968 + (m * 1333 + n) / 900)"
               "                           || chr(20000 + (m * 1333 + n) % 900), '-')"
               "           FROM generate_series(1, 1333) n), now() - m * interval '1 s'"
               "   FROM generate_series(1, 60) m;"
               "INSERT INTO messages (org_id, conversation_id, role, content, created_at)"
               " VALUES ('" ORG "', 'c0000000-0000-4000-8000-0000000000f2', 'user', 'zanzibar',"
               "         now())");
    assert_string_not_equal(pg_do(&pg, "SELECT platform_roll_up(1000)"), "");
    assert_string_equal(found("q=zanzibar"), "2");
    assert_string_equal(pg_do(&pg, "SELECT questions FROM conversation_outcomes WHERE"
                                   " conversation_id = 'c0000000-0000-4000-8000-0000000000f1'"),
                        "60");
    pg_do(&pg, "DELETE FROM messages WHERE conversation_id::text LIKE '%0f_';"
               "DELETE FROM conversations WHERE channel = 'long';"
               "DELETE FROM conversation_outcomes WHERE channel = 'long'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"ADM-4: every filter", test_filters, NULL, NULL, NULL},
        {"ADM-4: words are found", test_search, NULL, NULL, NULL},
        {"ADM-4: a bad filter is named", test_bad_filters, NULL, NULL, NULL},
        {"ADM-4: the longest filter is answered", test_the_longest_filter, NULL, NULL, NULL},
        {"ADM-4: filters of one organisation", test_of_one, NULL, NULL, NULL},
        {"ADM-4: pages are the whole list, once each", test_pages, NULL, NULL, NULL},
        {"ADM-4: a transcript has tools, citations and cost", test_transcript, NULL, NULL, NULL},
        {"ADM-4: another organisation's are not there", test_whose, NULL, NULL, NULL},
        {"ADM-4: archived and named", test_change, NULL, NULL, NULL},
        {"ADM-4: CSV that a spreadsheet opens safely", test_csv, NULL, NULL, NULL},
        {"ADM-4: JSON with everything", test_json, NULL, NULL, NULL},
        {"ADM-4: an export of many comes in parts", test_many, NULL, NULL, NULL},
        {"ADM-6: ratings and feedback are counted, also when messages go", test_signals_are_counted,
         NULL, NULL, NULL},
        {"ADM-4: words without end stop nobody else's", test_words_without_end, NULL, NULL, NULL},
        {"ADM-6: counting goes on where it stopped", test_roll_up_in_steps, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
