/* ENG-5: context/retrieve.h and the search functions against a real server, under the role
 * that workers sign in as: what a question finds, what it never finds, and by which index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "context/retrieve.h"
#include "context/score.h"
#include "schema_fixture.h"

#define ALICE "aaaaaaaa-0000-4000-8000-00000000000a"
#define BOB   "bbbbbbbb-0000-4000-8000-00000000000b"
#define CROWD "cccccccc-0000-4000-8000-00000000000c"

static struct pg_fixture pg;
static struct db *db;
static struct arena arena;
static struct retrieved answer;
static struct snippet *found;
static size_t found_count;

#define ARTICLE(org, slug, language, position, label, body)                                        \
    "INSERT INTO article_sections (org_id, article_id, slug, position, label, body, language)"     \
    " VALUES ('" org "', '" org "', '" slug "', " #position ", '" label "', '" body                \
    "', '" language "');"

static const char shop[] =
    "INSERT INTO organizations (id, name) VALUES ('" ALICE "', 'Alice'), ('" BOB "', 'Bob');"
    "INSERT INTO articles (id, org_id, slug, title, body) VALUES"
    " ('" ALICE "', '" ALICE "', 'a', 't', 'b'), ('" BOB "', '" BOB "', 'a', 't', 'b');"
    /* clang-format off */
    ARTICLE(ALICE, "shipping", "en", 0, "Shipping", "Standard delivery takes 3 to 5 working days.")
    ARTICLE(ALICE, "returns", "en", 1, "Returns", "You may return goods within 30 days. Shipping is not refunded.")
    ARTICLE(ALICE, "care", "en", 2, "Care", "Wash the upholstery by hand; a laundry must not bleach it.")
    ARTICLE(ALICE, "hours-he", "he", 3, "שעות הפתיחה", "החנות פתוחה בימי ראשון עד חמישי.")
    ARTICLE(ALICE, "shipping-he", "he", 4, "משלוחים", "המשלוח לוקח שלושה ימי עסקים.")
    ARTICLE(BOB, "shipping", "en", 0, "Shipping", "Bob ships by drone, secretly. Zanzibar.")
    /* clang-format on */
    "INSERT INTO products (org_id, sku, name, description, price_minor, currency, stock) VALUES"
    " ('" ALICE "', 'MUG-1', 'Stoneware mug', 'Holds 350 ml.', 5900, 'ILS', 7),"
    " ('" ALICE "', 'TEA-2', 'Green tea', '', 500, 'JPY', 0),"
    " ('" ALICE "', 'K-9', 'Leash', 'For dogs.', 100, 'ILS', 1),"
    " ('" BOB "', 'MUG-1', 'Secret mug', 'Of Bob.', 1, 'ILS', 1);"
    "INSERT INTO orders (org_id, number, customer_email, status, total_minor, currency, items)"
    " VALUES ('" ALICE "', 'D-7', 'dana@a.example', 'shipped', 11800, 'ILS',"
    " '[{\"sku\": \"MUG-1\", \"quantity\": 2}]'),"
    " ('" BOB "', 'D-8', 'dana@a.example', 'secret', 1, 'ILS', '[]');";

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    bool ok = schema_start(&pg);
    pg_do(&pg, shop);
    db = db_new(pg.app, "test");
    return ok ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(db);
    pg_end(&pg);
    arena_free(&arena);
    return 0;
}

static void ask_all(const struct retrieve_ask *question)
{
    if (retrieve_snippets(db, &arena, question, &answer) != DB_OK)
        fail_msg("%s: %s %s", question->question, db_sqlstate(db), db_error(db));
    found = answer.snippets;
    found_count = answer.count;
}

static void ask_as(const char *org, const char *question, const char *language)
{
    ask_all(&(struct retrieve_ask){.org = org, .question = question, .language = language});
}

static void ask(const char *question, const char *language)
{
    ask_as(ALICE, question, language);
}

static const struct snippet *snippet(const char *id)
{
    for (size_t i = 0; i < found_count; i++) {
        if (strcmp(found[i].id, id) == 0)
            return &found[i];
    }
    return NULL;
}

static const struct snippet *best(void)
{
    assert_true(found_count > 0);
    return &found[0];
}

/* -- what is found ----------------------------------------------------------------- */

static void test_english(void **state)
{
    (void)state;
    ask("How long does the shipping take?", "en");
    assert_in_range(found_count, 2, SNIPPETS_MAX);
    assert_string_equal(best()->id, "article:shipping"); /* its title */
    assert_string_equal(best()->label, "Shipping");
    assert_string_equal(best()->body, "Standard delivery takes 3 to 5 working days.");
    assert_non_null(snippet("article:returns"));
    for (size_t i = 0; i < found_count; i++) {
        assert_true(found[i].score > 0);
        assert_true(i == 0 || found[i].score <= found[i - 1].score);
    }
    ask("Can I have returned it?", "en"); /* another form */
    assert_string_equal(best()->id, "article:returns");
    ask("hello", "en");
    assert_int_equal(found_count, 0);
    ask("", "en");
    assert_int_equal(found_count, 0);
}

static void test_hebrew(void **state)
{
    (void)state;
    ask("כמה זמן לוקח המשלוח?", "he");
    assert_string_equal(best()->id, "article:shipping-he");
    ask("מה שעות הפתיחה שלכם?", "he");
    assert_string_equal(best()->id, "article:hours-he");
    ask("פתיחה", "he"); /* the text has it behind a prefix */
    assert_string_equal(best()->id, "article:hours-he");
}

static void test_mistyped(void **state)
{
    (void)state;
    ask("Retrns", "en"); /* in a title, not by the first letters */
    assert_string_equal(best()->id, "article:returns");
    ask("Is the uphollstry washable?", "en"); /* in a body, by the first letters */
    assert_non_null(snippet("article:care"));
    ask("a stonewear jar", "en");
    assert_non_null(snippet("product:MUG-1"));
    ask("xylophone", "en");
    assert_int_equal(found_count, 0);
}

static void test_mistyped_at_the_beginning_and_in_bodies(void **state)
{
    (void)state;
    ask("luandry", "en"); /* only in a body, wrong from the second letter */
    assert_string_equal(best()->id, "article:care");
    assert_true((best()->reasons & SNIPPET_ALIKE) != 0);
    ask("ulpholstery", "en");
    assert_string_equal(best()->id, "article:care");
    ask("כמה זמן לוקח המשלוה?", "he");
    assert_string_equal(best()->id, "article:shipping-he");
    ask("stonewaer", "en");
    assert_string_equal(best()->id, "product:MUG-1");
    ask("delivary shiping", "en");
    assert_string_equal(best()->id, "article:shipping");
    assert_true(answer.grounding > GROUNDING_WEAK);
}

/* The vocabulary follows what is written, changed and deleted. */
static void test_vocabulary(void **state)
{
    static const char *const count =
        "SELECT coalesce(max(sections) || '/' || max(titles) || '/' ||"
        " max(products), 'gone') FROM search_words WHERE word = 'gazebo'"
        " AND org_id = '" ALICE "'";
    (void)state;
    assert_string_equal(pg_do(&pg, count), "gone");
    pg_do(&pg, ARTICLE(ALICE, "g1", "en", 90, "Gazebo", "A gazebo.")
                   ARTICLE(ALICE, "g2", "en", 91, "Garden", "Gazebo, gazebo, gazebo."));
    assert_string_equal(pg_do(&pg, count), "2/1/0");
    pg_do(&pg, "INSERT INTO products (org_id, sku, name, price_minor, currency) VALUES ('" ALICE
               "', 'G-1', 'Gazebo', 1, 'ILS')");
    assert_string_equal(pg_do(&pg, count), "2/1/1");
    pg_do(&pg, "UPDATE article_sections SET label = 'Gazebo, too' WHERE slug = 'g2'");
    assert_string_equal(pg_do(&pg, count), "2/2/1");
    pg_do(&pg, "UPDATE article_sections SET label = 'x', body = 'y' WHERE slug = 'g1'");
    assert_string_equal(pg_do(&pg, count), "1/1/1");
    pg_do(&pg, "DELETE FROM products WHERE sku = 'G-1'");
    assert_string_equal(pg_do(&pg, count), "1/1/0");
    pg_do(&pg, "DELETE FROM article_sections WHERE slug IN ('g1', 'g2')");
    assert_string_equal(pg_do(&pg, count), "gone");
    assert_string_equal(pg_do(&pg, "SELECT sections || '/' || products FROM search_words"
                                   " WHERE word = '' AND org_id = '" ALICE "'"),
                        "5/3");
    assert_string_equal(
        pg_do(&pg,
              "SELECT count(*) FROM ((SELECT org_id, word, sections, titles, products"
              "  FROM search_words) EXCEPT (SELECT org_id, word, sum(s), sum(s * title), sum(1 - s)"
              "  FROM (SELECT org_id, search, 1 AS s FROM article_sections UNION ALL"
              "        SELECT org_id, search, 0 FROM products) AS rows, words_of_row(search)"
              " GROUP BY org_id, word)) AS wrong"),
        "0");
}

/* Every way of finding says that it did. */
static void test_reasons_recency_and_nearness(void **state)
{
    (void)state;
    pg_do(&pg,
          ARTICLE(ALICE, "fair-1", "en", 80, "Zurich", "The fair of Zurich opens at nine.")
              ARTICLE(ALICE, "fair-2", "en", 82, "Zurich", "In Zurich the fair is at the lake."));
    pg_do(&pg, "UPDATE article_sections SET updated_at = now() - interval '3 years'"
               " WHERE slug = 'fair-1'");
    ask("Zurich fair", "en");
    assert_string_equal(found[0].id, "article:fair-2");
    assert_int_equal(found[0].reasons, SNIPPET_WORDS | SNIPPET_TITLE | SNIPPET_NEW);
    assert_int_equal(found[1].reasons, SNIPPET_WORDS | SNIPPET_TITLE);

    ask_all(&(struct retrieve_ask){.org = ALICE,
                                   .question = "Zurich fair",
                                   .language = "en",
                                   .topic = "When does it open, nine?"});
    assert_string_equal(found[0].id, "article:fair-1");
    assert_true((found[0].reasons & SNIPPET_NEAR) != 0);
    ask_all(&(struct retrieve_ask){.org = ALICE,
                                   .question = "Zurich fair",
                                   .language = "en",
                                   .page = "https://shop.example/fair/nine.html Opens at nine"});
    assert_string_equal(found[0].id, "article:fair-1");

    /* what only the topic speaks of is not found */
    ask_all(&(struct retrieve_ask){
        .org = ALICE, .question = "xylophone?", .language = "en", .topic = "Zurich fair"});
    assert_int_equal(found_count, 0);
    pg_do(&pg, "DELETE FROM article_sections WHERE slug LIKE 'fair-%'");
}

static void test_what_says_the_same_is_sent_once(void **state)
{
    static const char insert[] =
        "INSERT INTO article_sections (org_id, article_id, slug, position, label, body, language)"
        " SELECT '" ALICE "', '" ALICE "', 'copy-' || n, 100 + 2 * n, 'Ballooning ' || n,"
        " 'Ballooning starts at the meadow behind the old mill, whenever the wind is low and the "
        "sky' ||"
        " ' is clear; passengers meet the pilot there and bring a warm coat, gloves and good "
        "shoes,' ||"
        " ' because it is cold above the valley even in summer. It takes ' ||"
        " CASE WHEN n < 4 THEN 90 ELSE 60 END || ' minutes.' || CASE n WHEN 2 THEN ' Enjoy!' ELSE "
        "'' END,"
        " 'en' FROM generate_series(1, 4) AS n";
    (void)state;
    pg_do(&pg, insert);
    ask("ballooning", "en");
    assert_int_equal(found_count, 2); /* of 90 and of 60 minutes */
    assert_int_equal(answer.repeats, 2);
    assert_non_null(snippet("article:copy-4"));
    pg_do(&pg, "DELETE FROM article_sections WHERE slug LIKE 'copy-%'");
}

/* What embeddings found is fused with what words did; without them nothing changes. */
static void test_meaning_is_fused(void **state)
{
    static const struct ranked meaning[] = {{"article:care", 0.9},
                                            {"article:returns", 0.8},
                                            {"article:gone", 0.7},
                                            {"article:shipping-b", 0.7}};
    const struct retrieve_ask with = {.org = ALICE,
                                      .question = "How long does the shipping take?",
                                      .language = "en",
                                      .meaning = meaning,
                                      .meaning_count = 4};
    (void)state;
    ask_all(&with);
    assert_string_equal(found[0].id, "article:returns"); /* second of both */
    assert_int_equal(found[0].reasons & (SNIPPET_WORDS | SNIPPET_MEANING),
                     SNIPPET_WORDS | SNIPPET_MEANING);
    assert_non_null(snippet("article:care"));
    assert_int_equal(snippet("article:care")->reasons, SNIPPET_MEANING);
    assert_non_null(snippet("article:care")->body);
    assert_null(snippet("article:gone"));
    assert_true(found[0].score <= 1);

    struct retrieve_ask wordless = with;
    wordless.question = "?";
    ask_all(&wordless);
    assert_string_equal(found[0].id, "article:care");
    assert_true(answer.grounding > GROUNDING_WEAK);
    wordless.org = BOB; /* ids of another organisation find nothing there */
    wordless.meaning_count = 2;
    ask_all(&wordless);
    assert_int_equal(found_count, 0);
}

/* "ENG-5: not in the sources" is known before a model is asked. */
static void test_grounding(void **state)
{
    (void)state;
    ask("How long does the shipping take?", "en");
    assert_true(answer.grounding > 0.9);
    assert_true(answer.asks);
    ask("Do you repair violins in Antarctica?", "en");
    assert_int_equal(found_count, 0);
    assert_float_equal(answer.grounding, 0, 1e-9);
    assert_true(answer.asks);
    ask("hello", "en");
    assert_false(answer.asks);
    ask("Where is order d-7? I am Dana@A.example", "en");
    assert_float_equal(answer.grounding, 1, 1e-9);
}

static void test_product(void **state)
{
    (void)state;
    ask("How much is mug-1?", "en");
    assert_string_equal(best()->id, "product:MUG-1");
    assert_string_equal(best()->label, "Stoneware mug");
    assert_string_equal(best()->body, "Price: 59.00 ILS. In stock: 7.\nHolds 350 ml.");
    ask("Do you have green tea", "en");
    assert_string_equal(best()->id, "product:TEA-2");
    assert_string_equal(best()->body, "Price: 500 JPY. Out of stock.");
    ask("k-9 ?", "en"); /* its pieces are too short for words */
    assert_int_equal(found_count, 1);
    assert_string_equal(best()->id, "product:K-9");
    ask("350", "en"); /* no word: a number that is no SKU */
    assert_null(snippet("product:TEA-2"));
}

static void test_order_needs_number_and_address(void **state)
{
    (void)state;
    ask("Where is order d-7? I am Dana@A.example", "en");
    assert_string_equal(best()->id, "order:D-7");
    assert_non_null(strstr(best()->body, "Status: shipped\nTotal: 118.00 ILS"));
    assert_non_null(strstr(best()->body, "Items: 2 x Stoneware mug"));
    static const char *const lacking[] = {
        "Where is order D-7?",        "My orders? dana@a.example",
        "D-7 other@a.example",        "D-71 or D- dana@a.example",
        "D-8 dana@a.example",         "D-7 % dana@a.exampl_",
        "D-7 dana@a.example.invalid", "order D_7 of xdana@a.example x"};
    for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
        ask(lacking[i], "en");
        for (size_t k = 0; k < found_count; k++)
            assert_null(strstr(found[k].id, "order:"));
    }
}

static void test_hostile_questions(void **state)
{
    (void)state;
    static const char *const hostile[] = {
        "'; DROP TABLE articles; --",
        "shipping' OR '1'='1",
        "a & b | !c <-> d :* ( ) 'e' \\'f\\' \"g\"",
        "{} {\"x\",NULL} \\ \\\\ \"",
        "$1 $2 %s %n %%",
        "\xE2\x80\x99'\xD7\xB3 \xD7\xB4\"",
        "\xFF\xFE broken \xC3 utf8 \xED\xA0\x80",
        "\x01\x02\x1F shipping \x7F",
        "#'1' #\"2\" {3} 4,5 6;7@8.9 \\10 1e400 99999999999999999999",
        "!!! ??? ... ((( :*:*:* <<<>>>",
        "NULL null to_tsquery('x') ts_rank pg_sleep(10)",
    };
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        ask(hostile[i], "en");
        ask(hostile[i], "he");
    }
    ask("shipping' OR '1'='1", "en");
    assert_string_equal(best()->id, "article:shipping");
    char *text = arena_alloc(&arena, 100001);
    for (int i = 0; i < 100000; i++)
        text[i] = "ab'\"\\cd 9#@."[(i * 7 + i / 13) % 12];
    text[100000] = '\0';
    ask(text, "en");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM articles"), "2");
}

/* -- what is never found ------------------------------------------------------------- */

static void test_another_organisation(void **state)
{
    (void)state;
    ask("shipping by drone to Zanzibar, secret mug MUG-1, D-8 dana@a.example", "en");
    assert_true(found_count > 0);
    for (size_t i = 0; i < found_count; i++) {
        assert_null(strstr(found[i].body, "Bob"));
        assert_null(strstr(found[i].body, "ecret"));
        assert_null(strstr(found[i].label, "ecret"));
    }
    ask("Zanzbar secrtly drone", "en");
    assert_int_equal(found_count, 0);
    ask_as(BOB, "Zanzibar", "en");
    assert_int_equal(found_count, 1);
    ask_as(CROWD, "shipping mug MUG-1 Zanzibr D-7 D-8 dana@a.example", "en"); /* has nothing */
    assert_int_equal(found_count, 0);
}

/* Rows that the functions give to the worker's role, after some preparation on the
 * same connection; -1 where the server refuses. */
static int rows_after(const char *preparation)
{
    static const char search[] =
        "SELECT (SELECT count(*) FROM search_sections('shipping', 'shipping | zanzibar', 'drone',"
        "                                             'shipping | zanzibar', '{}', '{}', 9)) +"
        " (SELECT count(*) FROM search_products('mug', 'secret', 'mug', '{MUG-1}', '{}', '{}', 9)) "
        "+"
        " (SELECT count(*) FROM search_words('{zanzibar,secre,zanzbar}', "
        "'{zanzibar,secre*,zanzbar}')"
        "   WHERE n > 0) +"
        " (SELECT count(*) FROM search_words('{stonewear}', '{stonewear}') WHERE alike AND word = "
        "'stoneware')";
    PGconn *conn = PQconnectdb(pg.app);
    PGresult *prepared = PQexec(conn, preparation), *result = PQexec(conn, search);
    int rows = PQresultStatus(result) == PGRES_TUPLES_OK ? atoi(PQgetvalue(result, 0, 0)) : -1;

    PQclear(prepared);
    PQclear(result);
    PQfinish(conn);
    return rows;
}

static void test_no_way_around_the_organisation(void **state)
{
    (void)state;
    int alice = rows_after("SET app.org_id = '" ALICE "'");
    assert_int_equal(alice, 4); /* two sections, a mug and a word */
    assert_int_equal(rows_after(""), 0);
    assert_int_equal(rows_after("SET app.org_id = ''"), 0);
    assert_int_equal(rows_after("SET app.org_id = '" CROWD "'"), 0);
    assert_int_equal(rows_after("SET app.org_id = 'no id'"), -1);
    assert_int_equal(rows_after("SET app.org_id = '" ALICE "'; SET row_security = off"), -1);
    assert_int_equal(rows_after("SET ROLE frontdesk_platform"), 0);
    assert_int_equal(rows_after("SET SESSION AUTHORIZATION frontdesk_platform"), 0);
    /* names that would come before the real ones, were the path not the function's own */
    static const char *const shadows[] = {
        "CREATE FUNCTION pg_temp.app_org() RETURNS uuid LANGUAGE sql AS $$ SELECT '" BOB
        "'::uuid $$; SET search_path = pg_temp, public",
        "CREATE TEMPORARY TABLE article_sections AS SELECT 'x' AS slug, 'x' AS label, 'x' AS body,"
        " 'en' AS language, 'shipping'::tsvector AS search, '" ALICE
        "'::uuid AS org_id FROM generate_series(1, 9); SET search_path = pg_temp, public",
        "CREATE FUNCTION pg_temp.yes(tsvector, tsquery) RETURNS bool LANGUAGE sql AS"
        " 'SELECT true'; CREATE OPERATOR pg_temp.@@ (LEFTARG = tsvector, RIGHTARG = tsquery,"
        " FUNCTION = pg_temp.yes); SET search_path = pg_temp, pg_catalog, public",
    };
    for (size_t i = 0; i < sizeof(shadows) / sizeof(shadows[0]); i++) {
        char text[600];
        assert_int_equal(rows_after(shadows[i]), 0);
        snprintf(text, sizeof(text), "SET app.org_id = '" ALICE "'; %s", shadows[i]);
        assert_int_equal(rows_after(text), alice);
    }
}

static void test_who_may_call(void **state)
{
    (void)state;
    assert_string_equal(
        pg_do(&pg, "SELECT count(*) FROM pg_proc WHERE proname LIKE 'search\\_%' AND prosecdef"
                   " AND proowner = 'frontdesk_platform'::regrole"
                   " AND proconfig @> '{\"search_path=pg_catalog, public, pg_temp\"}'"
                   " AND proacl::text NOT LIKE '%{=X%' AND proacl::text NOT LIKE '%,=X%'"),
        "3");
    assert_string_equal(
        pg_do(&pg, "SELECT rolcanlogin OR rolsuper OR rolbypassrls OR"
                   " pg_has_role('frontdesk_app', 'frontdesk_platform', 'MEMBER')"
                   " OR has_table_privilege('frontdesk_platform', 'products', 'INSERT')"
                   " OR has_table_privilege('frontdesk_platform', 'article_sections', 'UPDATE')"
                   " OR has_table_privilege('frontdesk_app', 'search_words', 'UPDATE')"
                   " FROM pg_roles WHERE rolname = 'frontdesk_platform'"),
        "f");
}

/* -- by which index ------------------------------------------------------------------ */

static int64_t statistic(const char *sql)
{
    return strtoll(pg_do(&pg, sql), NULL, 10);
}

#define INDEX_SCANS(name)                                                                          \
    statistic("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = '" name "'")

/* A large organisation: a rare word and a mistyped one go through the indexes. Row-level
 * security would forbid it silently. */
static void test_indexes(void **state)
{
    (void)state;
    pg_do(&pg,
          "INSERT INTO organizations (id, name) VALUES ('" CROWD "', 'Crowd');"
          "INSERT INTO articles (id, org_id, slug, title, body) VALUES"
          " ('" CROWD "', '" CROWD "', 'a', 't', 'b');"
          "INSERT INTO article_sections (org_id, article_id, slug, position, label, body, language)"
          " SELECT '" CROWD "', '" CROWD "', 's-' || n, n, 'Part ' || md5(n::text),"
          "        md5('a' || n) || ' ' || md5('b' || n) || ' common words', 'en'"
          "   FROM generate_series(1, 4000) AS n;"
          "UPDATE article_sections SET label = 'Warranty', body = 'Covers the zeppelin.'"
          " WHERE slug = 's-777';"
          "INSERT INTO products (org_id, sku, name, price_minor, currency)"
          " SELECT '" CROWD "', 'P-' || n, md5(n::text), n, 'EUR' FROM generate_series(1, 4000) n;"
          "UPDATE products SET name = 'Dirigible' WHERE sku = 'P-77' AND org_id = '" CROWD "'");
    pg_do(&pg, "ANALYZE article_sections, products, search_words");
    static const char *const tables =
        "SELECT sum(seq_scan) FROM pg_stat_user_tables"
        " WHERE relname IN ('article_sections', 'products', 'search_words')";
    int64_t words = INDEX_SCANS("article_sections_search");
    int64_t titles = INDEX_SCANS("article_sections_titles");
    int64_t spelling = INDEX_SCANS("search_words_trigram");
    int64_t products = INDEX_SCANS("products_search");
    int64_t whole = statistic(tables);

    ask_as(CROWD, "zeppelin", "en");
    assert_int_equal(found_count, 1);
    ask_as(CROWD, "dirigible", "en");
    assert_int_equal(found_count, 1);
    ask_as(CROWD, "waranty", "en");
    assert_int_equal(found_count, 1);
    assert_string_equal(best()->label, "Warranty");
    db_free(db); /* the backend reports what it did when it ends */
    db = db_new(pg.app, "test");
    while (statistic("SELECT count(*) FROM pg_stat_activity WHERE usename = 'frontdesk_app'") > 0)
        usleep(10000);
    assert_true(INDEX_SCANS("article_sections_search") > words);
    assert_true(INDEX_SCANS("article_sections_titles") > titles);
    assert_true(INDEX_SCANS("search_words_trigram") > spelling);
    assert_true(INDEX_SCANS("products_search") > products);
    assert_int_equal(statistic(tables), whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_english),
        cmocka_unit_test(test_hebrew),
        cmocka_unit_test(test_mistyped),
        cmocka_unit_test(test_mistyped_at_the_beginning_and_in_bodies),
        cmocka_unit_test(test_vocabulary),
        cmocka_unit_test(test_reasons_recency_and_nearness),
        cmocka_unit_test(test_what_says_the_same_is_sent_once),
        cmocka_unit_test(test_meaning_is_fused),
        cmocka_unit_test(test_grounding),
        cmocka_unit_test(test_product),
        cmocka_unit_test(test_order_needs_number_and_address),
        cmocka_unit_test(test_hostile_questions),
        cmocka_unit_test(test_another_organisation),
        cmocka_unit_test(test_no_way_around_the_organisation),
        cmocka_unit_test(test_who_may_call),
        cmocka_unit_test(test_indexes),
    };
    if (!pg_bin_dir(&pg)) {
        puts("1..0 # SKIP PostgreSQL is not installed");
        return 0;
    }
    return cmocka_run_group_tests_name("retrieve", tests, set_up, tear_down);
}
