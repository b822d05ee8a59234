/* ENG-13: tenant/knowledge.h - files become articles, again and again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/buf.h"
#include "schema_fixture.h"
#include "tenant/knowledge.h"

#define ALICE "a11ce000-0000-4000-8000-000000000001"
#define BOB   "b0b00000-0000-4000-8000-000000000002"

static struct pg_fixture pg;
static struct arena arena;
static struct db *db;
static struct knowledge_report report;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    bool ok = schema_start(&pg);
    pg_do(&pg, "INSERT INTO organizations (id, name) VALUES ('" ALICE "', 'Alice'), ('" BOB
               "', 'Bob'); INSERT INTO org_ai_settings (org_id, languages) VALUES ('" BOB
               "', '{he,en}')");
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

static int forget_all(void **state)
{
    (void)state;
    pg_do(&pg, "DELETE FROM articles; UPDATE organizations SET knowledge_version = 0");
    return 0;
}

static void import(const char *org, const char *text, struct knowledge_upload upload)
{
    upload.file.bytes = text;
    upload.file.len = strlen(text);
    upload.file.name = upload.source;
    enum db_status status = knowledge_import(db, &arena, org, &upload, &report);
    if (status != DB_OK)
        fail_msg("%s %s", db_sqlstate(db), db_error(db));
}

static void stored(const char *text, struct knowledge_upload upload)
{
    import(ALICE, text, upload);
    if (report.verdict != KNOWLEDGE_STORED)
        fail_msg("%s: %s", report.field, report.error);
}

static void refused(const char *text, struct knowledge_upload upload,
                    enum knowledge_verdict verdict, const char *field, const char *why)
{
    import(ALICE, text, upload);
    assert_int_equal(report.verdict, verdict);
    assert_string_equal(report.field, field);
    if (strstr(report.error, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", report.error, why);
}

#define FROM(source_) ((struct knowledge_upload){.source = source_})
#define SLUG(slug_)   ((struct knowledge_upload){.slug = slug_})

/* "slug:label:body" of Alice's sections, in order. */
static const char *sections(void)
{
    return pg_do(&pg, "SELECT string_agg(slug || ':' || label || ':' || body, '|' ORDER BY slug"
                      " COLLATE \"C\") FROM article_sections WHERE org_id = '" ALICE "'");
}

static void changes(size_t added, size_t updated, size_t removed)
{
    assert_int_equal(report.change.added, added);
    assert_int_equal(report.change.updated, updated);
    assert_int_equal(report.change.removed, removed);
}

static void test_a_second_import_updates_in_place(void **state)
{
    (void)state;
    stored("# Care\nWash.\n## Wool\nCold.\n## Silk\nBy hand.", FROM("docs/care.md"));
    assert_true(report.change.created);
    assert_string_equal(report.slug, "care");
    assert_string_equal(sections(), "care:Care:Wash.|care.2:Care - Wool:Cold.|care.3:Care - Silk:"
                                    "By hand.");
    const char *ids =
        arena_strdup(&arena, pg_do(&pg, "SELECT string_agg(id::text, ' ') FROM article_sections"));
    pg_do(&pg, "UPDATE article_sections SET updated_at = '2020-01-01'");

    stored("# Care\nWash.\n## Wool\nCold.\n## Silk\nBy hand.", FROM("docs/care.md"));
    assert_false(report.change.created || report.change.changed);
    changes(0, 0, 0);
    assert_string_equal(pg_do(&pg, "SELECT knowledge_version FROM organizations WHERE name ="
                                   " 'Alice'"),
                        "1");

    /* one in front of the others, one changed, one gone */
    stored("# Care\nWash.\n## Linen\nIron.\n## Silk\nNever.", FROM("docs/care.md"));
    assert_true(report.change.changed);
    changes(1, 1, 1);
    assert_string_equal(sections(), "care:Care:Wash.|care.3:Care - Silk:Never.|care.4:Care - Linen:"
                                    "Iron.");
    assert_non_null(strstr(ids, pg_do(&pg, "SELECT id FROM article_sections WHERE slug = 'care'")));
    assert_non_null(
        strstr(ids, pg_do(&pg, "SELECT id FROM article_sections WHERE slug = 'care.3'")));
    assert_string_equal(pg_do(&pg, "SELECT string_agg(slug, ' ' ORDER BY position) FROM"
                                   " article_sections"),
                        "care care.4 care.3");
    assert_string_equal(pg_do(&pg, "SELECT string_agg(slug, ' ' ORDER BY slug) FROM"
                                   " article_sections WHERE updated_at > '2021-01-01'"),
                        "care.3 care.4");
    assert_string_equal(pg_do(&pg, "SELECT knowledge_version FROM organizations WHERE name ="
                                   " 'Alice'"),
                        "2");
}

static void test_sections_change_places(void **state)
{
    const struct knowledge_upload x = {.slug = "x", .title = "X"};

    (void)state;
    stored("a\n## B\nb\n## C\nc\n## C\nc\n## D\nd", x);
    stored("## D\nd\n## C\nc\n## B\nb\n## C\nc\n## E\na", x);
    changes(0, 1, 0); /* "a" got a heading */
    assert_string_equal(pg_do(&pg, "SELECT string_agg(slug || body, ' ' ORDER BY position) FROM"
                                   " article_sections"),
                        "x.5d x.3c x.2b x.4c xa");
    stored("entirely new", x);
    changes(1, 0, 5);
    assert_string_equal(sections(), "x.6:X:entirely new"); /* x was something else */
}

static void test_slugs(void **state)
{
    (void)state;
    stored("x", FROM("docs/Opening Hours.txt"));
    assert_string_equal(report.slug, "opening-hours");
    assert_string_equal(report.title, "Opening Hours");
    stored("x", FROM("https://shop.example/help/returns.html?utm=1#top"));
    assert_string_equal(report.slug, "returns");
    stored("x", FROM("https://shop.example/"));
    assert_string_equal(report.slug, "shop-example");
    stored("שלום", FROM("docs/hours.md"));
    assert_string_equal(report.slug, "hours-he");
    assert_string_equal(report.language, "he");
    stored("שלום", FROM("docs/hello-he.md"));
    assert_string_equal(report.slug, "hello-he");
    stored("x", FROM("שעות.txt"));
    assert_int_equal(strncmp(report.slug, "article-", 8), 0);
    const char *hashed = arena_strdup(&arena, report.slug);
    stored("y", FROM("שעות.txt"));
    assert_string_equal(report.slug, hashed);
    assert_true(report.change.changed && !report.change.created);
    stored("# A title\nx", (struct knowledge_upload){0});
    assert_int_equal(strncmp(report.slug, "article-", 8), 0);
    stored("x", (struct knowledge_upload){.title = "A title!"});
    assert_string_equal(report.slug, "a-title");
    assert_string_equal(report.title, "A title!");
    import(BOB, "x", (struct knowledge_upload){.source = "x.md", .language = "EN_us"});
    assert_string_equal(report.slug, "x-en-us");
    import(BOB, "שלום", FROM("x.md"));
    assert_string_equal(report.slug, "x-en-us"); /* its source knows it */
    assert_string_equal(report.language, "he");
}

static void test_who_owns_a_slug(void **state)
{
    (void)state;
    stored("one", FROM("a/index.md"));
    refused("two", FROM("b/index.md"), KNOWLEDGE_CONFLICT, "slug", "from a/index.md");
    refused("two", (struct knowledge_upload){.title = "Index"}, KNOWLEDGE_CONFLICT, "title",
            "there already");
    stored("mine", (struct knowledge_upload){.title = "Returns"});
    refused("theirs", (struct knowledge_upload){.title = "Returns"}, KNOWLEDGE_CONFLICT, "title",
            "another title");
    refused("theirs", FROM("returns.md"), KNOWLEDGE_CONFLICT, "slug", "there already");
    stored("two", (struct knowledge_upload){.source = "b/index.md", .slug = "b-index"});
    stored("two again", FROM("b/index.md"));
    assert_string_equal(report.slug, "b-index");
    stored("three", (struct knowledge_upload){.source = "c/index.md", .slug = "index"});
    assert_false(report.change.created); /* it was said */
    /* an article's sections never take another's slug */
    stored("x\n## y\nz", SLUG("faq"));
    stored("x\n## y\nz", SLUG("faq-2"));
    import(BOB, "x", SLUG("index"));
    assert_true(report.change.created);
}

static void test_refusals(void **state)
{
    char title[KNOWLEDGE_TITLE_MAX + 2];

    (void)state;
    memset(title, 't', sizeof(title) - 1);
    title[sizeof(title) - 1] = '\0';
    refused("x", SLUG("A b"), KNOWLEDGE_BAD_FIELD, "slug", "lower-case");
    refused("x", (struct knowledge_upload){.title = title}, KNOWLEDGE_BAD_FIELD, "title", "200");
    refused("x", (struct knowledge_upload){.title = "a\nb"}, KNOWLEDGE_BAD_FIELD, "title", "line");
    refused("x", (struct knowledge_upload){.source = ""}, KNOWLEDGE_BAD_FIELD, "source", "name");
    static const char *const languages[] = {
        "", "e", "engl", "en-", "-en", "en-a", "1n", "en us", "en-toolonglonglong"};
    for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
        refused("x", (struct knowledge_upload){.language = languages[i]}, KNOWLEDGE_BAD_FIELD,
                "language", "tag");
    refused("", SLUG("a"), KNOWLEDGE_BAD_FIELD, "body", "empty");
    refused(" \n", SLUG("a"), KNOWLEDGE_BAD_FIELD, "body", "no text");
    refused("PK\x03\x04", SLUG("a"), KNOWLEDGE_UNKNOWN_TYPE, "body", "ZIP");
    refused("\xFF", SLUG("a"), KNOWLEDGE_UNKNOWN_TYPE, "body", "UTF-8");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM articles"), "0");
    struct knowledge_upload upload = {.file = {.bytes = "x", .len = 1}, .slug = "a"};
    assert_int_equal(
        knowledge_import(db, &arena, "00000000-0000-4000-8000-000000000000", &upload, &report),
        DB_FAILED);
    assert_non_null(strstr(db_error(db), "no such organisation"));
}

static void test_list_and_delete(void **state)
{
    PGresult *rows;
    bool found;

    (void)state;
    stored("# Bee\nx\n## y\nz", SLUG("b"));
    stored("א", (struct knowledge_upload){.slug = "a", .source = "a.txt"});
    stored("c", SLUG("c"));
    import(BOB, "secret", SLUG("bb"));
    assert_int_equal(knowledge_list(db, ALICE, NULL, NULL, 2, &rows), DB_OK);
    assert_int_equal(PQntuples(rows), 2);
    assert_string_equal(db_text(rows, 0, KNOWLEDGE_SLUG), "a");
    assert_string_equal(db_text(rows, 0, KNOWLEDGE_LANGUAGE), "he");
    assert_string_equal(db_text(rows, 0, KNOWLEDGE_FORMAT), "text");
    assert_string_equal(db_text(rows, 0, KNOWLEDGE_SOURCE), "a.txt");
    assert_string_equal(db_text(rows, 1, KNOWLEDGE_TITLE), "Bee");
    assert_int_equal(db_int(rows, 1, KNOWLEDGE_SECTIONS, 0), 2);
    PQclear(rows);
    assert_int_equal(knowledge_list(db, ALICE, "en", "b", 9, &rows), DB_OK);
    assert_int_equal(PQntuples(rows), 1);
    assert_string_equal(db_text(rows, 0, KNOWLEDGE_SLUG), "c");
    PQclear(rows);
    assert_int_equal(knowledge_find(db, ALICE, "bb", &rows), DB_OK);
    assert_int_equal(PQntuples(rows), 0);
    PQclear(rows);
    assert_int_equal(knowledge_sections(db, ALICE, "b", &rows), DB_OK);
    assert_int_equal(PQntuples(rows), 2);
    assert_string_equal(db_text(rows, 1, 0), "b.2");
    PQclear(rows);

    assert_int_equal(knowledge_delete(db, ALICE, "bb", &found), DB_OK);
    assert_false(found);
    assert_int_equal(knowledge_delete(db, ALICE, "b", &found), DB_OK);
    assert_true(found);
    assert_int_equal(knowledge_delete(db, ALICE, "b", &found), DB_OK);
    assert_false(found);
    assert_string_equal(pg_do(&pg, "SELECT string_agg(slug, ' ' ORDER BY slug) FROM"
                                   " article_sections"),
                        "a bb c");
    assert_string_equal(pg_do(&pg, "SELECT string_agg(knowledge_version::text, ' ' ORDER BY name)"
                                   " FROM organizations"),
                        "4 1");
}

/* As many sections as there may be, twice: in a moment, and nothing changes. */
static void test_large(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, ARTICLE_MAX);
    for (int i = 0; i < ARTICLE_SECTIONS_MAX; i++)
        buf_printf(&text, "## Heading %d\nThe body of section %d.\n", i % 7, i);
    stored(text.data, SLUG("large"));
    assert_int_equal(report.change.added, ARTICLE_SECTIONS_MAX);
    stored(text.data, SLUG("large"));
    assert_false(report.change.changed);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_second_import_updates_in_place, forget_all),
        cmocka_unit_test_setup(test_sections_change_places, forget_all),
        cmocka_unit_test_setup(test_slugs, forget_all),
        cmocka_unit_test_setup(test_who_owns_a_slug, forget_all),
        cmocka_unit_test_setup(test_refusals, forget_all),
        cmocka_unit_test_setup(test_list_and_delete, forget_all),
        cmocka_unit_test_setup(test_large, forget_all),
    };
    if (!pg_bin_dir(&pg)) {
        puts("1..0 # SKIP PostgreSQL is not installed");
        return 0;
    }
    return cmocka_run_group_tests_name("knowledge", tests, set_up, tear_down);
}
