/* ENG-13: tenant/import.h - what a file is, and what becomes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tenant/article.h"
#include "tenant/import_format.h"

static struct arena arena;
static struct import_text text;
static char error[IMPORT_ERROR_SIZE];

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static enum import_verdict take(const char *bytes, size_t len, const char *name, const char *type)
{
    struct import_file file = {.bytes = bytes, .len = len, .name = name, .content_type = type};

    error[0] = '\0';
    return import_read(&arena, &file, &text, error);
}

static void becomes(const char *bytes, const char *name, enum import_format format,
                    const char *markdown)
{
    enum import_verdict verdict = take(bytes, strlen(bytes), name, NULL);
    if (verdict != IMPORT_OK)
        fail_msg("%s: %s", name, error);
    assert_string_equal(import_format_name(text.format), import_format_name(format));
    assert_string_equal(text.markdown, markdown);
    assert_int_equal(text.len, strlen(markdown));
}

static void refused(const char *bytes, size_t len, const char *name, const char *type,
                    enum import_verdict verdict, const char *why)
{
    assert_int_equal(take(bytes, len, name, type), verdict);
    if (strstr(error, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error, why);
}

/* -- what it is -------------------------------------------------------------------------- */

static void test_the_bytes_decide(void **state)
{
    (void)state;
    becomes("<!DOCTYPE html><p>x", "page.txt", IMPORT_HTML, "x\n");
    becomes("  <html><p>x", "page.md", IMPORT_HTML, "x\n");
    becomes("# A\nb", "notes", IMPORT_MARKDOWN, "# A\nb");
    becomes("# A\nb", "notes.txt", IMPORT_TEXT, "\\# A\nb\n");
    becomes("a,b", "pairs.csv", IMPORT_CSV, "## a\n\nb\n\n");
    becomes("a,b", NULL, IMPORT_TEXT, "a,b\n");
    becomes("We speak of %PDF-1.4 here", "notes.md", IMPORT_MARKDOWN, "We speak of %PDF-1.4 here");
    assert_int_equal(take("<b>x", 4, NULL, "text/html"), IMPORT_OK);
    assert_int_equal(text.format, IMPORT_HTML);
}

static void test_wrong_types(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *why;
    } foreign[] = {
        {"PK\x03\x04rest", 8, "ZIP"},
        {"\xD0\xCF\x11\xE0\xA1", 5, "Office"},
        {"{\\rtf1 hi}", 10, "RTF"},
        {"\x89PNG\r\n", 6, "picture"},
        {"\xFF\xD8\xFF\xE0", 4, "picture"},
        {"\x1F\x8B\x08", 3, "compressed"},
        {"\x7F"
         "ELF\x02",
         5, "program"},
        {"a\0b", 3, "not text"},
        {"\xC0\xAF", 2, "not text"},
        {"caf\xE9", 4, "not text"},
        {"\xED\xA0\x80", 3, "not text"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        refused(foreign[i].bytes, foreign[i].len, "a.md", NULL, IMPORT_UNKNOWN_TYPE,
                foreign[i].why);
    refused("hello", 5, "a.pdf", NULL, IMPORT_UNKNOWN_TYPE, "said to be a PDF");
    refused("hello", 5, NULL, "application/pdf", IMPORT_UNKNOWN_TYPE, "said to be a PDF");
    refused("hello", 5, "a.html", NULL, IMPORT_UNKNOWN_TYPE, "has no tag");
    refused("%PDF-1.4", 8, NULL, "text/html", IMPORT_UNKNOWN_TYPE, "it is a PDF");
    refused("", 0, "a.md", NULL, IMPORT_UNREADABLE, "empty");
}

static void test_sizes(void **state)
{
    char *large = malloc(IMPORT_PDF_MAX + 2);

    (void)state;
    assert_non_null(large);
    memset(large, 'a', IMPORT_PDF_MAX + 2);
    refused(large, IMPORT_TEXT_MAX + 1, "a.txt", NULL, IMPORT_TOO_LARGE, "4194304");
    refused(large, IMPORT_TEXT_MAX, "a.txt", NULL, IMPORT_TOO_LARGE, "1048576");
    memcpy(large, "%PDF-", 5);
    refused(large, IMPORT_PDF_MAX + 1, "a.pdf", NULL, IMPORT_TOO_LARGE, "20971520");
    free(large);
}

static void test_encodings(void **state)
{
    (void)state;
    becomes("\xEF\xBB\xBFx\r\ny\rz\x01\x7F\xC2\xAD\xC2\xA0.", "a.txt", IMPORT_TEXT, "x\ny\nz .\n");
    assert_int_equal(take("\xFF\xFEs\0\xE9\0", 6, "a.txt", NULL), IMPORT_OK);
    assert_string_equal(text.markdown, "sé\n");
    assert_int_equal(take("\xFE\xFF\0s\x05\xE9", 6, "a.txt", NULL), IMPORT_OK);
    assert_string_equal(text.markdown, "sש\n");
    assert_int_equal(take("\xFF\xFEs\0\x00\xD8y\0", 8, "a.txt", NULL), IMPORT_OK);
    assert_string_equal(text.markdown, "s\xEF\xBF\xBDy\n");
    refused("\xFF\xFEs\0\0\0", 6, "a.txt", NULL, IMPORT_UNKNOWN_TYPE, "not text");
    becomes("<meta charset=windows-1255><p>\xF9\xEC\xE5\xED", "a.html", IMPORT_HTML, "שלום\n");
    becomes("<meta content='text/html; charset=ISO-8859-1'><p>caf\xE9 \x80", "a.html", IMPORT_HTML,
            "café €\n");
    refused("<meta charset=utf-7><p>\xF9", 24, "a.html", NULL, IMPORT_UNKNOWN_TYPE, "not text");
    refused("<p>caf\xE9", 7, "a.html", NULL, IMPORT_UNKNOWN_TYPE, "not text");
}

/* -- pages ---------------------------------------------------------------------------------- */

static void page(const char *html, const char *title, const char *markdown)
{
    char *whole = arena_printf(&arena, "<html>%s", html);

    becomes(whole, "a.html", IMPORT_HTML, markdown);
    if (title == NULL)
        assert_null(text.title);
    else
        assert_string_equal(text.title, title);
}

static void test_html(void **state)
{
    (void)state;
    page("<title> A &amp;\n B </title><p>x", "A & B", "x\n");
    page("<title>T</title><h1>Real <b>one</b></h1>\n<p>x<h1>Next</h1>y", "Real one",
         "x\n\n# Next\n\ny\n");
    page("<h2>a</h2><h3>b</h3>c<h6>d", NULL, "## a\n\n### b\n\nc\n\n###### d\n");
    page("<h2>open<p>text<h2>next<ul><li>x", NULL, "## open\n\ntext\n\n## next\n\n- x\n");
    page("a  b\n c<br>d&nbsp;e", NULL, "a b c\nd e\n");
    page("<ul><li>a<li><p>b</p><ul><li>c</ul></ul>d", NULL, "- a\n\n- b\n\n  - c\n\nd\n");
    page("<table><tr><th>S<th>L<tr><td><p>1</p></td><td><p>2</p></td></tr></table>x", NULL,
         "S | L\n1 | 2\n\nx\n");
    page("<details><summary><h3>How?</h3></summary>So.</details>", NULL, "### How?\n\nSo.\n");
    page("<pre>a  b\n # c</pre>", NULL, "a  b\n\\# c\n");
    page("<p># no heading<p>```<p>~~~~", NULL, "\\# no heading\n\n\\```\n\n\\~~~~\n");
}

static void test_html_leaves_out(void **state)
{
    (void)state;
    page("<script>a<p>b</p></scripty></SCRIPT >x", NULL, "x\n");
    page("<style>p{}</style><!-- <p>no --><!doctype x><?php no ?>x<nav>menu</nav>", NULL, "x\n");
    page("<svg/>x<svg><title>no</title></svg>y<noscript>no</noscript>", NULL, "xy\n");
    page("<p title='a>b' x=\"<script>\">x</p>", NULL, "x\n");
    page("x<script>never ended", NULL, "x\n");
    page("x<nav>never ended", NULL, "xnever ended\n");
    page("x<!-- never ended", NULL, "x\n");
    page("x<p attr='never ended>y", NULL, "x\n");
    page("<button>Buy</button><select><option>1</select>x<textarea><p>no</textarea>", NULL, "x\n");
}

static void test_html_characters(void **state)
{
    (void)state;
    page("&lt;b&gt; &quot;&#39;&apos; &#x5E9;&#1513; &euro;&#128;&hearts;", NULL,
         "<b> \"'' שש €€♥\n");
    page("&amp;lt; &unknown; &; &# &#x; AT&T &copy2 &copy", NULL,
         "&lt; &unknown; &; &# &#x; AT&T &copy2 ©\n");
    page("&#0;&#xD800;&#x110000;&#99999999999;|&#1;&#173;", NULL,
         "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD|\n");
    page("1 < 2 <3 </ a> <", NULL, "1 < 2 <3 </ a> <\n");
    page("à<p>x", NULL, "à\n\nx\n");
}

/* -- rows ----------------------------------------------------------------------------------- */

static void test_csv(void **state)
{
    (void)state;
    becomes("Question,Answer\r\nWhere?,Here\r\n", "a.csv", IMPORT_CSV, "## Where?\n\nHere\n\n");
    becomes("id;תשובה;שאלה\n1;כאן;\"איפה;\n\"\"זה\"\"?\"\n", "a.csv", IMPORT_CSV,
            "## איפה; \"זה\"?\n\nכאן\n\n");
    becomes("a\tb\n\t\n c \t\"x\ny\"", "a.tsv", IMPORT_CSV, "## a\n\nb\n\n## c\n\nx\ny\n\n");
}

static void test_csv_rows(void **state)
{
    (void)state;
    becomes("a,b,c\n,,\n\n\"d\",# e", "a.csv", IMPORT_CSV, "## a\n\nb\n\n## d\n\n\\# e\n\n");
    char question[ARTICLE_LABEL_MAX + 2];
    memset(question, 'q', sizeof(question) - 1);
    question[sizeof(question) - 1] = '\0';
    char *row = arena_printf(&arena, "%s,yes", question);
    becomes(row, "a.csv", IMPORT_CSV,
            arena_printf(&arena, "## %s\n\n%s\n\nyes\n\n", question, question));

    static const struct {
        const char *rows, *why;
    } wrong[] = {
        {"a,b\nc", "line 2: a row has a question and an answer"},
        {"\"a\nb\",c\n,d", "line 3: a row has"},
        {"a,\"b", "line 1: a quotation mark is never closed"},
        {"a,\"b\"c", "line 1: text stands behind"},
        {"question,answer\n", "no row"},
        {"\n\n", "no row"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        refused(wrong[i].rows, strlen(wrong[i].rows), "a.csv", NULL, IMPORT_UNREADABLE,
                wrong[i].why);
}

/* -- PDF ------------------------------------------------------------------------------------- */

/* Offsets are for poppler to find. */
#define PDF(stream)                                                                                \
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"                                       \
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"                                           \
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"                        \
    "/Resources<</Font<</F 5 0 R>>>>>>endobj\n"                                                    \
    "4 0 obj<</Length 999>>stream\nBT /F 12 Tf 50 700 Td 14 TL " stream " ET\nendstream endobj\n"  \
    "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"                               \
    "trailer<</Root 1 0 R/Size 6>>\n%%EOF\n"

static void test_pdf(void **state)
{
    (void)state;
    if (access("/usr/bin/pdftotext", X_OK) != 0) {
        puts("# SKIP poppler-utils is not installed");
        return;
    }
    becomes(PDF("(The zeppelin flies at noon.) Tj T* (# no heading) Tj"), "a.pdf", IMPORT_PDF,
            "\n## p. 1\n\nThe zeppelin flies at noon.\n\\# no heading\n\n");
    refused(PDF(""), strlen(PDF("")), "a.pdf", NULL, IMPORT_UNREADABLE, "no text");
    refused("%PDF-1.4\ngarbage\xFF", 18, "a.pdf", NULL, IMPORT_UNREADABLE, "damaged");
}

static void pdf_text(const char *from, const char *markdown)
{
    struct buf out;

    buf_init(&out, ARTICLE_MAX);
    assert_true(import_pdf_text(&arena, from, strlen(from), &out));
    assert_string_equal(out.data, markdown);
    buf_free(&out);
}

static void test_pdf_text(void **state)
{
    struct buf out;

    (void)state;
    pdf_text("a\n\f\n \f\nb", "\n## p. 1\n\na\n\n## p. 3\n\n\nb\n");
    pdf_text("infor-\nmation\nwell-\nKnown\nx -\ny-", "\n## p. 1\n\ninformation\nwell-\nKnown\n"
                                                      "x -\ny-\n");
    buf_init(&out, ARTICLE_MAX);
    assert_false(import_pdf_text(&arena, "\f \n\f", 4, &out));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_bytes_decide),
        cmocka_unit_test(test_wrong_types),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_html_leaves_out),
        cmocka_unit_test(test_html_characters),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_rows),
        cmocka_unit_test(test_pdf),
        cmocka_unit_test(test_pdf_text),
    };
    return cmocka_run_group_tests_name("import", tests, set_up, tear_down);
}
