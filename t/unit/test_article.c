/* ENG-13: tenant/article.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tenant/article.h"

static int set_up(void **state)
{
    struct arena *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return -1;
    arena_init(a);
    *state = a;
    return 0;
}

static int tear_down(void **state)
{
    arena_free(*state);
    free(*state);
    return 0;
}

static struct article split(void **state, const char *text)
{
    struct article article;
    char error[128];
    if (!article_split(*state, "care", NULL, text, strlen(text), &article, error))
        fail_msg("%s", error);
    return article;
}

static void test_headings(void **state)
{
    struct article a = split(state, "\n# Care  #\r\n\nIntro.\n\n## Cotton ##\nWash.\n\n"
                                    "### Linen\nIron.\n## Empty\n\n##\nNameless.\n");

    assert_string_equal(a.title, "Care");
    assert_int_equal(a.section_count, 4);
    assert_string_equal(a.sections[0].slug, "care");
    assert_string_equal(a.sections[0].label, "Care");
    assert_string_equal(a.sections[0].body, "Intro.");
    assert_string_equal(a.sections[1].slug, "care.2");
    assert_string_equal(a.sections[1].label, "Care - Cotton");
    assert_string_equal(a.sections[1].body, "Wash.");
    assert_string_equal(a.sections[2].label, "Care - Linen");
    assert_string_equal(a.sections[3].slug, "care.4");
    assert_string_equal(a.sections[3].label, "Care");
    assert_string_equal(a.sections[3].body, "Nameless.");
    assert_null(strstr(a.body, "# Care"));
}

static void test_what_is_no_heading(void **state)
{
    struct article a = split(state, "# T\nx\n#hashtag\n####### seven\n    # code\n"
                                    "```sh\n# comment\n```\n~~~\n```\n# still code\n~~~\n"
                                    "## Real\nend");

    assert_int_equal(a.section_count, 2);
    assert_non_null(strstr(a.sections[0].body, "#hashtag"));
    assert_non_null(strstr(a.sections[0].body, "# comment"));
    assert_non_null(strstr(a.sections[0].body, "# still code"));
    assert_string_equal(a.sections[1].label, "T - Real");
}

static void test_without_title(void **state)
{
    struct article a = split(state, "\xEF\xBB\xBFJust text.");

    assert_string_equal(a.title, "care");
    assert_string_equal(a.sections[0].body, "Just text.");
}

/* Every byte of the text is in exactly one section, in order; white space at cuts aside. */
static void assert_whole(const struct article *a, const char *text)
{
    for (size_t i = 0; i < a->section_count; i++) {
        const char *body = a->sections[i].body;
        size_t len = strlen(body);
        assert_in_range(len, 1, ARTICLE_SECTION_MAX);
        assert_true(fd_utf8_valid(body, len));
        text += strspn(text, " \n");
        assert_memory_equal(text, body, len);
        text += len;
    }
    assert_int_equal(strspn(text, " \n"), strlen(text));
}

static void test_long_sections(void **state)
{
    static const char *const pieces[] = {
        "A sentence of some length that ends here. ", /* at sentences */
        "A paragraph.\n\n",                           /* at paragraphs */
        "- a list item\n",                            /* at lines */
        "word ",                                      /* at words */
        "nospace",                                    /* anywhere */
        "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9dx",          /* between characters */
        "ab\xf0\x9f\x98\x80",
    };

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        char text[20001] = "";
        size_t len = strlen(pieces[i]), used = 0;
        for (; used + len < sizeof(text); used += len)
            memcpy(text + used, pieces[i], len + 1);
        struct article a = split(state, text);
        assert_true(a.section_count >= sizeof(text) / ARTICLE_SECTION_MAX);
        assert_true(a.section_count <= 2 * sizeof(text) / ARTICLE_SECTION_MAX + 2);
        assert_whole(&a, text);
        if (i == 0)
            assert_int_equal(a.sections[0].body[strlen(a.sections[0].body) - 1], '.');
    }
}

static void test_long_heading(void **state)
{
    char text[1100] = "# T\n## ";
    for (size_t i = 7; i < 1000; i += 2)
        memcpy(text + i, "\xd7\xa9", 3);
    strcat(text, "\nbody");
    struct article a = split(state, text);
    size_t len = strlen(a.sections[0].label);

    assert_in_range(len, ARTICLE_LABEL_MAX, ARTICLE_LABEL_MAX + 4);
    assert_true(fd_utf8_valid(a.sections[0].label, len));
}

static void test_given_title(void **state)
{
    struct article a;
    char error[128];

    assert_true(article_split(*state, "care", "Care", "# Care\nx", 8, &a, error));
    assert_string_equal(a.title, "Care");
    assert_int_equal(a.section_count, 1);
    assert_string_equal(a.sections[0].label, "Care");
    assert_true(article_split(*state, "care", "Of care", "# Care\nx", 8, &a, error));
    assert_string_equal(a.title, "Of care");
    assert_string_equal(a.sections[0].label, "Of care - Care");
}

static void test_slug_of_a_name(void **state)
{
    static const char *const names[][2] = {
        {"Opening hours", "opening-hours"},
        {"--A__b!!", "a-b"},
        {"\xd7\xa9 2", "2"},
        {"x.pdf", "x-pdf"},
        {"caf\xc3\xa9 bar", "caf-bar"},
    };
    char slug[ARTICLE_SLUG_MAX + 1], long_name[200];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_true(article_slug_of(names[i][0], strlen(names[i][0]), slug));
        assert_string_equal(slug, names[i][1]);
    }
    assert_false(article_slug_of("\xd7\xa9 -", 4, slug));
    memset(long_name, 'a', sizeof(long_name));
    memcpy(long_name + 79, " b", 2);
    assert_true(article_slug_of(long_name, sizeof(long_name), slug));
    assert_true(article_slug_valid(slug));
}

static void refuse(void **state, const char *slug, const char *text, size_t len, const char *why)
{
    struct article article;
    char error[128] = "";
    assert_false(article_split(*state, slug, NULL, text, len, &article, error));
    assert_non_null(strstr(error, why));
}

static void test_refusals(void **state)
{
    static const char *const slugs[] = {"",    "-a",  "a-",   "a--b", "A",
                                        "a b", "a/b", "../a", "a.md", "\xd7\xa9"};
    char *many = malloc(10 * (ARTICLE_SECTIONS_MAX + 1) + 1), long_slug[ARTICLE_SLUG_MAX + 2];

    assert_non_null(many);
    for (size_t i = 0; i < sizeof(slugs) / sizeof(slugs[0]); i++)
        refuse(state, slugs[i], "x", 1, "lower-case");
    memset(long_slug, 'a', sizeof(long_slug) - 1);
    long_slug[sizeof(long_slug) - 1] = '\0';
    refuse(state, long_slug, "x", 1, "lower-case");
    refuse(state, "a", "", 0, "no text");
    refuse(state, "a", " \n\t ", 4, "no text");
    refuse(state, "a", "# Title only", 12, "no text");
    refuse(state, "a", "a\0b", 3, "UTF-8");
    refuse(state, "a", "\xC0\xAF", 2, "UTF-8");
    for (int i = 0; i <= ARTICLE_SECTIONS_MAX; i++)
        memcpy(many + 10 * i, "## h\ntext\n", 11);
    refuse(state, "a", many, 10 * (ARTICLE_SECTIONS_MAX + 1), "sections");
    free(many);
    char *large = calloc(1, ARTICLE_MAX + 1);
    assert_non_null(large);
    memset(large, 'a', ARTICLE_MAX + 1);
    refuse(state, "a", large, ARTICLE_MAX + 1, "bytes");
    free(large);
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(test_headings),      WITH_ARENA(test_what_is_no_heading),
        WITH_ARENA(test_without_title), WITH_ARENA(test_long_sections),
        WITH_ARENA(test_long_heading),  WITH_ARENA(test_refusals),
        WITH_ARENA(test_given_title),   WITH_ARENA(test_slug_of_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
