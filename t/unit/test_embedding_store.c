/* ENG-5: context/embedding_store.h on a real PostgreSQL - vectors are written under the claim
 * alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/embedding_store.h"
#include "schema_fixture.h"

#define ORG "5eed0000-0000-4000-8000-0000000000a1"

static struct pg_fixture pg;
static struct db *db;

static int set_up(void **state)
{
    (void)state;
    if (!schema_start(&pg))
        return -1;
    db = db_new(pg.app, "test");
    pg_do(&pg, "INSERT INTO organizations (id, name) VALUES ('" ORG "', 'Shop');"
               "SET session_replication_role = replica;" /* a section needs no article here */
               "INSERT INTO article_sections (org_id, article_id, slug, position, label, body,"
               "                              language)"
               " VALUES ('" ORG "', gen_random_uuid(), 's', 0, 'Hours', 'From nine.', 'en')");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(db);
    pg_end(&pg);
    return 0;
}

static void test_late_vectors_are_dropped(void **state)
{
    const float values[] = {1, 0};
    struct embedding_section section;
    struct embedding_section list[EMBEDDING_BATCH];
    struct arena arena;
    const char *org;
    int64_t version;
    size_t count;
    bool lost;

    (void)state;
    arena_init(&arena);
    assert_int_equal(embedding_claim(db, &arena, "slow", "m", &org, &version), DB_OK);
    assert_string_equal(org, ORG);
    assert_int_equal(embedding_next(db, &arena, ORG, "slow", "m", NULL, list, &count, &lost),
                     DB_OK);
    assert_int_equal(count, 1);
    section = list[0];
    pg_do(&pg, "UPDATE embedding_state SET claimed_until = now() - interval '1 second'");
    assert_int_equal(embedding_claim(db, &arena, "next", "m", &org, &version), DB_OK);
    assert_string_equal(org, ORG);

    assert_int_equal(embedding_put(db, ORG, "slow", "m", &section, 1, values, 2), DB_OK);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM section_embeddings"), "0");
    assert_string_equal(pg_do(&pg, "SELECT vectors_version FROM embedding_state"), "0");
    assert_int_equal(embedding_put(db, ORG, "next", "m", &section, 1, values, 2), DB_OK);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM section_embeddings"), "1");
    assert_string_equal(pg_do(&pg, "SELECT vectors_version FROM embedding_state"), "1");
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"ENG-5: vectors that come after the claim was lost are dropped",
         test_late_vectors_are_dropped, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("embedding_store", tests, set_up, tear_down);
}
