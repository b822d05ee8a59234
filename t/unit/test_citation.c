/* ENG-5: a citation is an id that the answer wrote and that was in the context sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/citation.h"

#include <stdio.h>
#include <string.h>

static const struct snippet snippets[] = {
    {"article:shipping", "Shipping", "", 1, 0},
    {"article:returns-2", "Returns", "", 1, 0},
    {"product:SKU 7/ב", "A mug", "", 1, 0},
    {"deal:42", "Not sent", "", 1, 0},
};
static const char *first_ids[] = {"article:shipping"};
static const char *second_ids[] = {"article:returns-2", "product:SKU 7/ב"};
static struct chunk chunks[] = {{0, "", 1, first_ids, 1}, {1, "", 1, second_ids, 2}};
static const struct chunk_set sent = {chunks, 2, 2};

static struct citation_scan scan_of(const char *text)
{
    struct citation_scan scan;

    citation_init(&scan, &sent, snippets, 4);
    size_t found = citation_feed(&scan, text, strlen(text));
    assert_int_equal(found, scan.count);
    return scan;
}

static void expect(const char *text, size_t count, size_t dropped)
{
    struct citation_scan scan = scan_of(text);

    if (scan.count != count || scan.dropped != dropped) {
        fail_msg("\"%s\": %zu found, %zu dropped", text, scan.count, scan.dropped);
    }
}

static void sent_ids_are_found_once_with_their_label(void **state)
{
    (void)state;
    struct citation_scan scan =
        scan_of("Two days [article:shipping], back in 30 [article:returns-2]. [article:shipping]");
    assert_int_equal(scan.count, 2);
    assert_string_equal(scan.found[0].id, "article:shipping");
    assert_string_equal(scan.found[0].label, "Shipping");
    assert_string_equal(scan.found[1].id, "article:returns-2");
    assert_int_equal(scan.dropped, 0);
    expect("[product:SKU 7/ב]", 1, 0);
}

static void ids_that_were_not_sent_are_dropped_and_counted(void **state)
{
    (void)state;
    expect("[article:invented]", 0, 1);
    expect("[deal:42]", 0, 1); /* a snippet, but cut before it was sent */
    expect("[article:shipping2] [article:shippin] [article:]", 0, 2);
    expect("[article:x][article:x]", 0, 2);
}

static void other_brackets_are_none(void **state)
{
    (void)state;
    expect("[1] [^2] [] [ ] [x] [see: below] [a](https://x.example) [https://x.example](y)", 0, 0);
    expect("article:shipping (article:shipping) article:shipping]", 0, 0);
    expect("[article:shipping", 0, 0);
    expect("[article:\nshipping]", 0, 0);
    expect("![alt](u) - [ ] todo - [x] done [TODO: note]", 0, 0);
}

static void several_ids_in_one_bracket(void **state)
{
    (void)state;
    expect("[article:shipping, article:returns-2]", 2, 0);
    expect("[article:shipping;article:nope , article:returns-2]", 2, 1);
    expect("[[article:shipping]]", 1, 0);
    expect("[see [article:shipping]", 1, 0);
    expect("[ article:shipping ]", 1, 0);
    expect("[article:shipping](https://x.example/shipping)", 1, 0);
}

static void any_fragmentation_gives_the_same(void **state)
{
    (void)state;
    const char *text = "Yes [article:shipping], no [1] [article:nope] [product:SKU 7/ב] [x](y) "
                       "[article:shipping, article:returns-2].";
    size_t len = strlen(text);
    struct citation_scan whole = scan_of(text);
    assert_int_equal(whole.count, 3);
    assert_int_equal(whole.dropped, 1);

    for (size_t first = 0; first <= len; first++) {
        for (size_t second = first; second <= len; second++) {
            struct citation_scan scan;
            citation_init(&scan, &sent, snippets, 4);
            size_t found = citation_feed(&scan, text, first);
            found += citation_feed(&scan, text + first, second - first);
            found += citation_feed(&scan, text + second, len - second);
            assert_int_equal(found, 3);
            assert_int_equal(scan.count, 3);
            assert_int_equal(scan.dropped, 1);
            for (size_t i = 0; i < 3; i++) {
                assert_ptr_equal(scan.found[i].id, whole.found[i].id);
            }
        }
    }
}

static void a_citation_is_told_when_its_bracket_closes(void **state)
{
    (void)state;
    struct citation_scan scan;
    citation_init(&scan, &sent, snippets, 4);
    assert_int_equal(citation_feed(&scan, "x [article:ship", 15), 0);
    assert_int_equal(citation_feed(&scan, "", 0), 0);
    assert_int_equal(citation_feed(&scan, "ping", 4), 0);
    assert_int_equal(citation_feed(&scan, "]", 1), 1);
    assert_string_equal(scan.found[scan.count - 1].id, "article:shipping");
    assert_int_equal(citation_feed(&scan, "]", 1), 0);
}

static void a_nul_is_a_byte_like_others(void **state)
{
    (void)state;
    struct citation_scan scan;
    citation_init(&scan, &sent, snippets, 4);
    assert_int_equal(citation_feed(&scan, "[article:shipping\0\0]", 20), 0);
    assert_int_equal(scan.dropped, 1);
}

static void the_scan_is_bounded(void **state)
{
    (void)state;
    struct citation_scan scan;
    citation_init(&scan, &sent, snippets, 4);
    citation_feed(&scan, "[", 1);
    for (int i = 0; i < 10000; i++) {
        citation_feed(&scan, "article:", 8);
        assert_true(scan.open_len <= sizeof(scan.open));
    }
    assert_int_equal(citation_feed(&scan, "] [article:shipping]", 20), 1);
    assert_int_equal(scan.dropped, 0);
}

static void at_most_twenty(void **state)
{
    (void)state;
    static char ids[30][32];
    static struct snippet many[30];
    static const char *many_ids[30];
    for (int i = 0; i < 30; i++) {
        snprintf(ids[i], sizeof(ids[i]), "article:%d", i);
        many[i] = (struct snippet){ids[i], "L", "", 1, 0};
        many_ids[i] = ids[i];
    }
    struct chunk chunk = {0, "", 1, many_ids, 30};
    struct chunk_set set = {&chunk, 1, 1};
    struct citation_scan scan;
    citation_init(&scan, &set, many, 30);
    size_t found = 0;
    for (int i = 0; i < 30; i++) {
        found += citation_feed(&scan, "[", 1);
        found += citation_feed(&scan, ids[i], strlen(ids[i]));
        found += citation_feed(&scan, "]", 1);
    }
    assert_int_equal(found, CITATIONS_MAX);
    assert_int_equal(scan.count, CITATIONS_MAX);
    assert_int_equal(scan.dropped, 0); /* they were sent */
}

static void nothing_was_sent(void **state)
{
    (void)state;
    static const struct chunk_set none = {NULL, 0, 0};
    struct citation_scan scan;
    citation_init(&scan, &none, NULL, 0);
    assert_int_equal(citation_feed(&scan, "[article:shipping]", 18), 0);
    assert_int_equal(scan.dropped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sent_ids_are_found_once_with_their_label),
        cmocka_unit_test(ids_that_were_not_sent_are_dropped_and_counted),
        cmocka_unit_test(other_brackets_are_none),
        cmocka_unit_test(several_ids_in_one_bracket),
        cmocka_unit_test(any_fragmentation_gives_the_same),
        cmocka_unit_test(a_citation_is_told_when_its_bracket_closes),
        cmocka_unit_test(a_nul_is_a_byte_like_others),
        cmocka_unit_test(the_scan_is_bounded),
        cmocka_unit_test(at_most_twenty),
        cmocka_unit_test(nothing_was_sent),
    };

    return cmocka_run_group_tests_name("citation", tests, NULL, NULL);
}
