/* ADM-6: tenant/gap.h, tenant/knowledge_gaps.h - questions that the sources have nothing on, by
 * what they ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/buf.h"
#include "schema_fixture.h"
#include "tenant/conversation.h"
#include "tenant/knowledge_gaps.h"

#define ORG   "5eed0000-0000-4000-8000-0000000000a1"
#define OTHER "5eed0000-0000-4000-8000-0000000000a2"

static struct pg_fixture pg;
static struct db *db;
static struct arena arena;

static struct gap words(const char *question)
{
    struct gap gap;

    gap_of(&gap, question, strlen(question));
    return gap;
}

static bool alike(const char *a, const char *b)
{
    struct gap x = words(a), y = words(b);

    return gap_alike(&x, &y);
}

static void test_alike(void **state)
{
    static const char *const same[][2] = {
        {"Do you repair broken mugs?", "Can you repair a broken mug?"},
        {"repair broken mug", "BROKEN MUG REPAIRS!"},
        {"Do you have a loyalty programme?", "Is there any loyalty programme for customers?"},
        {"יש לכם מועדון לקוחות?", "מועדון הלקוחות"},
        {"כמה עולה התקנה בבית", "ההתקנה בבית עולה כמה?"},
    };
    static const char *const other[][2] = {
        {"Do you repair broken mugs?", "Do you ship to Norway?"},
        {"loyalty programme", "programme of the concert tonight in the hall"},
        {"מועדון לקוחות", "משלוח לחיפה"},
        {"?", "?"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        if (!alike(same[i][0], same[i][1]))
            fail_msg("%s is not like %s", same[i][0], same[i][1]);
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        if (alike(other[i][0], other[i][1]))
            fail_msg("%s is like %s", other[i][0], other[i][1]);
    assert_int_equal(words("").count, 0);
    assert_int_equal(words("the of and you").count, 0);
    assert_int_equal(words("one two three four five six seven eight nine ten eleven twelve "
                           "thirteen fourteen")
                         .count,
                     GAP_WORDS_MAX);
}

static void test_text(void **state)
{
    static const char *const bad[] = {
        "",    ",",   "1,",         ",1", "2,1",  "1,1", "1 ,2",
        "+1",  "--1", "2147483648", "a",  "1,2}", "1.5", "1,2,3,4,5,6,7,8,9,10,11,12,13",
        "0x1", " 1"};
    struct gap gap = words("Do you repair broken porcelain mugs?"), again;
    char text[GAP_TEXT_SIZE];

    (void)state;
    gap_write(&gap, text);
    assert_true(gap_read(text, &again));
    assert_int_equal(again.count, gap.count);
    assert_memory_equal(again.words, gap.words, gap.count * sizeof(gap.words[0]));
    assert_true(gap_read("-2147483648,2147483647", &gap));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (gap_read(bad[i], &gap) || gap.count != 0)
            fail_msg("\"%s\" is read", bad[i]);
    }
}

/* -- with PostgreSQL ----------------------------------------------------------------------------
 */

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    if (!schema_start(&pg))
        return -1;
    db = db_new(pg.app, "test");
    pg_do(&pg, "INSERT INTO organizations (id, name) VALUES ('" ORG "', 'Mine'), ('" OTHER
               "', 'Other')");
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

/* A list is filtered by PostgreSQL what is counted here: they have one rule. */
static void test_one_rule(void **state)
{
    unsigned random = 1;

    (void)state;
    for (int round = 0; round < 60; round++) {
        char sql[512], text[2][GAP_TEXT_SIZE];
        struct gap gaps[2] = {0};
        for (int g = 0; g < 2; g++) {
            for (int32_t word = 0; word < 9 && gaps[g].count < GAP_WORDS_MAX; word++) {
                random = random * 1103515245u + 12345u;
                if ((random >> 16) % 2 == 0)
                    gaps[g].words[gaps[g].count++] = word;
            }
            gap_write(&gaps[g], text[g]);
        }
        if (gaps[0].count == 0 || gaps[1].count == 0)
            continue;
        snprintf(sql, sizeof(sql), "SELECT gaps_alike('{%s}', '{%s}')", text[0], text[1]);
        if (gap_alike(&gaps[0], &gaps[1]) != (strcmp(pg_do(&pg, sql), "t") == 0))
            fail_msg("%s", sql);
    }
}

/* A question in a conversation of its own unless `session` is known, on a day of October. */
static void ask(const char *org, const char *session, const char *channel, int day,
                const char *question)
{
    struct gap gap = words(question);
    char sql[2048], text[GAP_TEXT_SIZE];

    gap_write(&gap, text);
    snprintf(
        sql, sizeof(sql),
        "WITH c AS (INSERT INTO conversations (org_id, session_id, channel, started_at)"
        " VALUES ('%s', '%s', '%s', '2026-10-%02d 10:00Z')"
        " ON CONFLICT (org_id, session_id) DO UPDATE SET title = '' RETURNING *),"
        " t AS (SELECT c.*, timestamptz '2026-10-%02d 10:00Z' + random() * interval '1 h' AS at"
        "         FROM c), q AS (INSERT INTO messages (org_id, conversation_id, role, content,"
        " created_at) SELECT org_id, id, 'user', '%s', at FROM t)"
        " INSERT INTO messages (org_id, conversation_id, role, content, gap, created_at)"
        " SELECT org_id, id, 'assistant', 'no', '{%s}', at + interval '1 microsecond' FROM t",
        org, session, channel, day, day, question, text);
    pg_do(&pg, sql);
}

static const char *value(const void *from, const char *name)
{
    return fd_json_string(from, name);
}

/* How many conversations a gap's own filter finds. */
static int64_t behind(const struct period *period, const struct knowledge_gap *gap)
{
    struct conversation_filter filter;
    struct conversation_fault fault;
    struct fd_json_fault bad;
    struct fd_json_writer w;
    struct buf out;
    PGresult *rows;

    buf_init(&out, 4096);
    buf_json(&out, &w);
    fd_jw_object(&w);
    knowledge_gap_write_filter(&w, period, gap);
    fd_jw_end_object(&w);
    assert_true(buf_json_end(&out, &w));
    const struct fd_json *json =
        fd_json_parse(out.data, out.len, (struct fd_json_limits){0}, arena_allocator(&arena), &bad);
    if (!conversation_filter_read(&arena, value, fd_json_get(json, "filter"), &filter, &fault))
        fail_msg("%s: %s", fault.field, fault.detail);
    assert_int_equal(
        conversation_list(db, ORG, &filter, (struct conversation_place){0}, 1000, &rows), DB_OK);
    int count = PQntuples(rows);
    PQclear(rows);
    buf_free(&out);
    return count;
}

static void test_gaps(void **state)
{
    struct knowledge_gaps found;
    struct period period;
    const char *field, *detail;

    (void)state;
    ask(ORG, "a", "widget", 5, "Do you repair broken mugs?");
    ask(ORG, "b", "widget", 6, "Can you repair a broken mug?");
    ask(ORG, "b", "widget", 7, "broken mugs, repair?");
    ask(ORG, "c", "widget", 8, "Do you ship to Norway?");
    ask(ORG, "d", "widget", 20, "Can a broken mug be repaired?");
    ask(ORG, "e", "test", 6, "Do you repair broken mugs?");
    ask(OTHER, "f", "widget", 6, "Do you repair broken mugs?");
    assert_true(period_read("2026-10-01", "2026-10-10", &period, &field, &detail));
    assert_int_equal(knowledge_gaps_load(db, &arena, ORG, &period, KNOWLEDGE_GAPS_MAX, &found),
                     DB_OK);
    assert_true(found.complete);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.gaps[0].question, "broken mugs, repair?"); /* as last */
    assert_int_equal(found.gaps[0].count, 3);
    assert_int_equal(found.gaps[0].conversations, 2);
    assert_string_equal(found.gaps[1].question, "Do you ship to Norway?");
    for (size_t i = 0; i < found.count; i++)
        assert_int_equal(behind(&period, &found.gaps[i]), found.gaps[i].conversations);
    assert_int_equal(knowledge_gaps_load(db, &arena, ORG, &period, 1, &found), DB_OK);
    assert_int_equal(found.count, 1);
    struct knowledge_gap first = found.gaps[0];
    assert_int_equal(knowledge_gaps_most_asked(db, &arena, ORG, &period, &found), DB_OK);
    assert_int_equal(found.count, 1);
    assert_true(gap_alike(&found.gaps[0].words, &first.words));
    assert_int_equal(found.gaps[0].count, first.count);
    assert_int_equal(found.gaps[0].conversations, first.conversations);
    assert_string_equal(found.gaps[0].question, first.question);
    assert_string_equal(found.gaps[0].conversation_id, first.conversation_id);
    pg_do(&pg, "DELETE FROM messages WHERE role = 'user' AND content = 'broken mugs, repair?'");
    assert_int_equal(knowledge_gaps_load(db, &arena, ORG, &period, 1, &found), DB_OK);
    assert_null(found.gaps[0].question);
    pg_do(&pg, "DELETE FROM messages");
    assert_int_equal(knowledge_gaps_load(db, &arena, ORG, &period, 1, &found), DB_OK);
    assert_int_equal(found.count, 0);
    assert_int_equal(knowledge_gaps_most_asked(db, &arena, ORG, &period, &found), DB_OK);
    assert_int_equal(found.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"ADM-6: the same question in other words", test_alike, NULL, NULL, NULL},
        {"ADM-6: its words as a parameter", test_text, NULL, NULL, NULL},
        {"ADM-6: one rule here and in PostgreSQL", test_one_rule, NULL, NULL, NULL},
        {"ADM-6: what is asked and not known, and the conversations behind it", test_gaps, NULL,
         NULL, NULL},
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
