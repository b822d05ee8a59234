/* ENG-5: context/embedding_search.h and 0026_vectors.sql on a real PostgreSQL - whoever searches
 * an organisation's vectors finds the same. What needs the extension is skipped without it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/embedding_search.h"
#include "context/embedding_store.h"
#include "core/buf.h"
#include "llm/embedding.h"
#include "schema_fixture.h"

#define ORG        "5eed0000-0000-4000-8000-0000000000a1"
#define OTHER      "5eed0000-0000-4000-8000-0000000000a2"
#define DIMENSIONS 48
#define ROWS       1200 /* more than two pages */
#define ROOM       ((size_t)16 << 20)
#define SAME       1e-5 /* sums of floats, in another order */

static struct pg_fixture pg;
static struct db *db;
static struct arena arena;
static float rows[ROWS][DIMENSIONS];
static float direction[DIMENSIONS];
static uint64_t seed = 88172645463325252;

static float noise(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (float)(seed >> 40) / (1 << 24) - 0.5f;
}

/* Some of a direction that all have a part in, and some of one's own. */
static void fill(float *vector, float part)
{
    for (int i = 0; i < DIMENSIONS; i++)
        vector[i] = part * direction[i] + noise();
    assert_true(embedding_normalise(vector, DIMENSIONS));
}

static const char *hex(const float *values, int count)
{
    static char text[2 * 4 * 64 + 1];
    unsigned char bytes[4 * 64];

    memcpy(bytes, values, 4 * (size_t)count); /* little-endian, as the platforms are */
    for (size_t i = 0; i < 4 * (size_t)count; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

static void add(struct buf *sql, const char *org, const char *model, int n, const float *values,
                int count)
{
    buf_printf(sql,
               "INSERT INTO article_sections (id, org_id, article_id, slug, position, label, body,"
               "                              language)"
               " VALUES (md5('%s%d')::uuid, '%s', gen_random_uuid(), 's%d', 0, 'l', 'b', 'en');"
               "INSERT INTO section_embeddings (org_id, section_id, model, digest, vector)"
               " VALUES ('%s', md5('%s%d')::uuid, '%s', '', decode('%s', 'hex'));",
               org, n, org, n, org, org, n, model, hex(values, count));
}

static void begin(struct buf *sql)
{
    buf_init(sql, 4u << 20);
    buf_puts(sql, "SET session_replication_role = replica;"); /* a section needs no article here */
}

static void store(struct buf *sql)
{
    assert_false(sql->over);
    pg_do(&pg, sql->data);
    buf_free(sql);
}

static int set_up(void **state)
{
    (void)state;
    if (!schema_start(&pg))
        return -1;
    db = db_new(pg.app, "test");
    pg_do(&pg, "INSERT INTO organizations (id, name)"
               " VALUES ('" ORG "', 'Mine'), ('" OTHER "', 'Other')");
    struct buf sql;
    begin(&sql);
    for (int i = 0; i < DIMENSIONS; i++)
        direction[i] = 4 * noise();
    for (int n = 0; n < ROWS; n++) {
        fill(rows[n], (float)(n % 20) / 10);
        add(&sql, n % 10 == 9 ? OTHER : ORG, n % 50 == 7 ? "old" : "m", n, rows[n], DIMENSIONS);
    }
    add(&sql, ORG, "m", ROWS, rows[0], DIMENSIONS / 2); /* of other dimensions */
    store(&sql);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(db);
    pg_end(&pg);
    return 0;
}

static int each(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int after_each(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

/* -- what is the same -------------------------------------------------------------------- */

struct outcome {
    struct ranked *list;
    size_t count;
};

static struct embedding_question question_of(const float *values)
{
    return (struct embedding_question){"m", values, DIMENSIONS};
}

static struct outcome in_memory(const char *org, const float *values)
{
    struct vectors *vectors = NULL;
    struct outcome outcome;
    char after[37] = "";
    bool more = true, full = false;

    while (more)
        assert_int_equal(embedding_page(db, org, "m", after, &vectors, ROOM, &more, &full), DB_OK);
    outcome.count = vectors_search(vectors, &arena, values, &outcome.list);
    vectors_free(vectors);
    return outcome;
}

static struct outcome by_page(const char *org, const float *values)
{
    const struct embedding_question question = question_of(values);
    struct outcome outcome;
    bool full = true;

    assert_int_equal(
        embedding_scan(db, &arena, org, &question, ROOM, &outcome.list, &outcome.count, &full),
        DB_OK);
    assert_false(full);
    return outcome;
}

static struct outcome by_extension(const char *org, const float *values)
{
    const struct embedding_question question = question_of(values);
    struct outcome outcome;

    assert_int_equal(embedding_search(db, &arena, org, &question, &outcome.list, &outcome.count),
                     DB_OK);
    return outcome;
}

/* Two that are as near as each other may change places. */
static void assert_same(struct outcome a, struct outcome b)
{
    assert_int_equal(a.count, b.count);
    for (size_t i = 0; i < a.count; i++) {
        assert_true(fabs(a.list[i].score - b.list[i].score) < SAME);
        bool tied = (i > 0 && fabs(a.list[i - 1].score - a.list[i].score) < SAME) ||
                    (i + 1 < a.count && fabs(a.list[i + 1].score - a.list[i].score) < SAME);
        if (!tied)
            assert_string_equal(a.list[i].id, b.list[i].id);
    }
}

static void assert_finds_the_same(struct outcome (*search)(const char *org, const float *values))
{
    float question[DIMENSIONS];

    for (int n = 0; n < 30; n++) {
        fill(question, (float)(n % 10) / 4);
        struct outcome mine = in_memory(ORG, question);
        assert_true(mine.count > 0);
        assert_same(mine, search(ORG, question));
        assert_same(in_memory(OTHER, question), search(OTHER, question));
    }
    struct outcome self = search(ORG, rows[100]);
    assert_string_equal(self.list[0].id, "article:s100");
    assert_int_equal(search("5eed0000-0000-4000-8000-0000000000a3", rows[100]).count, 0);
}

/* -- the tests ----------------------------------------------------------------------------- */

static void test_numbers_are_read_exactly(void **state)
{
    static const float values[] = {0.1f,   -0.333333f, 1,       -1,    0,     -0.0f,
                                   1e-40f, -1.4e-45f,  3.4e38f, 1e-7f, -0.5f, 1.17549435e-38f};
    char sql[1024];

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(sql, sizeof(sql), "SELECT (embedding_values('\\x%s'))[1]", hex(&values[i], 1));
        float read = strtof(pg_do(&pg, sql), NULL);
        assert_true(memcmp(&read, &values[i], sizeof(read)) == 0 || read == values[i]);
    }
    assert_string_equal(pg_do(&pg, "SELECT cardinality(embedding_values(''))"), "0");
}

static void test_pages_find_what_memory_does(void **state)
{
    const struct embedding_question question = question_of(rows[100]);
    struct outcome outcome;
    bool full = false;

    (void)state;
    assert_finds_the_same(by_page);
    assert_int_equal(embedding_scan(db, &arena, ORG, &question, (size_t)200 << 10, &outcome.list,
                                    &outcome.count, &full),
                     DB_OK);
    assert_true(full); /* more than a worker would hold */
    assert_int_equal(outcome.count, 0);
}

static bool is_available(void)
{
    return pg_do(&pg, "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'")[0] == '1';
}

static void need_extension(void)
{
    if (is_available())
        return;
    print_message("# skipped: PostgreSQL has no extension `vector` (postgresql-17-pgvector)\n");
    skip();
}

/* Installed after the vectors were made, by a superuser, as docs/models-and-budgets.md says. */
static void test_extension_finds_what_memory_does(void **state)
{
    (void)state;
    need_extension();
    assert_string_equal(pg_do(&pg, "SELECT has_embedding_column()"), "f");
    pg_do(&pg, "CREATE EXTENSION vector");
    assert_string_equal(pg_do(&pg, "SELECT adopt_pgvector()"), "t");
    assert_string_equal(pg_do(&pg, "SELECT adopt_pgvector()"), "t"); /* again */
    assert_string_equal(pg_do(&pg, "SELECT has_embedding_column()"), "t");
    assert_finds_the_same(by_extension);
    struct buf sql;
    begin(&sql);
    add(&sql, ORG, "m", ROWS + 1, rows[9], DIMENSIONS); /* which the other has as well */
    store(&sql);
    struct outcome outcome = by_extension(ORG, rows[9]);
    assert_string_equal(outcome.list[0].id, "article:s1201");
    assert_finds_the_same(by_extension);
}

static void test_extension_may_go_and_come(void **state)
{
    const struct embedding_question question = question_of(rows[100]);
    struct outcome outcome;

    (void)state;
    need_extension();
    pg_do(&pg, "SET client_min_messages = warning; DROP EXTENSION vector CASCADE");
    assert_string_equal(pg_do(&pg, "SELECT has_embedding_column()"), "f");
    assert_int_not_equal(
        embedding_search(db, &arena, ORG, &question, &outcome.list, &outcome.count), DB_OK);
    assert_int_equal(outcome.count, 0);
    assert_finds_the_same(by_page);
    pg_do(&pg, "CREATE SCHEMA elsewhere; GRANT USAGE ON SCHEMA elsewhere TO frontdesk_app;"
               "CREATE EXTENSION vector SCHEMA elsewhere");
    assert_string_equal(pg_do(&pg, "SELECT adopt_pgvector()"), "t");
    assert_finds_the_same(by_extension);
}

/* Where a superuser installed it before, the owner of the tables needs nobody's help. */
static void test_migration_finds_it(void **state)
{
    struct pg_fixture second = pg;
    struct migration_list list;
    char error[256] = "";

    (void)state;
    need_extension();
    pg_do(&pg, "CREATE DATABASE second OWNER fixture_owner");
    snprintf(second.super, sizeof(second.super), "host=%s user=fixture dbname=second", pg.dir);
    snprintf(second.owner, sizeof(second.owner), "host=%s user=fixture_owner dbname=second",
             pg.dir);
    pg_do(&second, "CREATE EXTENSION vector");
    struct db *owner = db_new(second.owner, "test");
    assert_true(migrate_read(&arena, "migrations", &list, error));
    assert_int_equal(migrate_up(owner, &arena, &list, NULL), DB_OK);
    assert_string_equal(pg_do(&second, "SELECT has_embedding_column()"), "t");
    db_free(owner);
}

#define T(name, function)                                                                          \
    {                                                                                              \
        name, function, each, after_each, NULL                                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("ENG-5: stored numbers are read exactly", test_numbers_are_read_exactly),
        T("ENG-5: page by page finds what memory does", test_pages_find_what_memory_does),
        T("ENG-5: pgvector finds what memory does", test_extension_finds_what_memory_does),
        T("ENG-5: pgvector may go and come", test_extension_may_go_and_come),
        T("ENG-5: a migration finds pgvector installed", test_migration_finds_it),
    };

    return cmocka_run_group_tests_name("embedding_search", tests, set_up, tear_down);
}
