/* ENG-5: no chunk passes max_chunk_tokens, there are never more than max_chunks, the
 * sum never passes max_context_tokens; ENG-6: by the one estimator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "context/chunk.h"
#include "llm/tokens.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static char *repeat(const char *piece, size_t times)
{
    size_t len = strlen(piece);
    char *text = arena_alloc(&arena, len * times + 1);

    for (size_t i = 0; i < times; i++) {
        memcpy(text + i * len, piece, len);
    }
    text[len * times] = '\0';
    return text;
}

static struct chunk_set pack(const struct snippet *snippets, size_t count, int tokens, int chunks,
                             int context)
{
    struct chunk_limits limits = {tokens, chunks, context};
    struct chunk_set set;

    chunk_pack(&arena, snippets, count, &limits, &set);
    return set;
}

/* What holds for every input; the numbers are counted anew from the text. */
static void check_bounds(const struct chunk_set *set, int tokens, int chunks, int context)
{
    assert_true(set->count == 0 || (int)set->count <= chunks);
    for (size_t i = 0; i < set->count; i++) {
        const struct chunk *chunk = &set->chunks[i];
        assert_int_equal(chunk->index, (int)i);
        assert_int_equal(chunk->estimated_tokens,
                         tokens_estimate(chunk->text, strlen(chunk->text)));
        assert_in_range(chunk->estimated_tokens, 1, tokens);
        assert_in_range(chunk->snippet_count, 1, SNIPPETS_MAX);
        assert_true(fd_utf8_valid(chunk->text, strlen(chunk->text)));
        for (size_t j = 0; j < chunk->snippet_count; j++) {
            const char *heading = arena_printf(&arena, "[%s] ", chunk->snippet_ids[j]);
            assert_non_null(strstr(chunk->text, heading));
        }
    }
    const char *joined = chunk_join(&arena, set);
    assert_true(tokens_estimate(joined, strlen(joined)) <= set->context_tokens);
    assert_true(set->context_tokens <= (set->count > 0 ? context : 0));
}

static void contract_three_snippets_make_two_chunks(void **state)
{
    (void)state;
    char *body = repeat("x", 1200);
    struct snippet snippets[] = {{"deal:1", "Acme", body, 3, 0},
                                 {"deal:2", "Globex", body, 2, 0},
                                 {"deal:3", "Initech", body, 1, 0}};
    struct chunk_set set = pack(snippets, 3, 500, 6, 6000);

    assert_in_range(set.count, 2, 6);
    check_bounds(&set, 500, 6, 6000);
}

static void snippets_are_printed_in_falling_score(void **state)
{
    (void)state;
    struct snippet snippets[] = {{"article:b", "B", "second", 2, 0},
                                 {"article:a", "A", "first", 3, 0},
                                 {"article:c", "C", "also second", 2, 0}};
    struct chunk_set set = pack(snippets, 3, 1000, 6, 6000);

    assert_int_equal(set.count, 1);
    assert_string_equal(
        set.chunks[0].text,
        "[article:a] A\nfirst\n\n[article:b] B\nsecond\n\n[article:c] C\nalso second");
    assert_int_equal(set.chunks[0].snippet_count, 3);
    assert_string_equal(set.chunks[0].snippet_ids[1], "article:b");
    assert_string_equal(chunk_join(&arena, &set), set.chunks[0].text);
    assert_int_equal(set.context_tokens, set.chunks[0].estimated_tokens);
}

static void a_snippet_that_fits_to_the_token_stays(void **state)
{
    (void)state;
    /* "[a:1] A\n" is 8, the blank line 2: 8 + 190 + 2 + 8 + 192 = 400 bytes, 100 tokens */
    struct snippet snippets[] = {{"a:1", "A", repeat("x", 190), 2, 0},
                                 {"a:2", "B", repeat("y", 192), 1, 0}};
    struct chunk_set set = pack(snippets, 2, 100, 6, 6000);
    assert_int_equal(set.count, 1);
    assert_int_equal(set.chunks[0].estimated_tokens, 100);

    snippets[1].body = repeat("y", 193);
    set = pack(snippets, 2, 100, 6, 6000);
    assert_int_equal(set.count, 2);
}

static void chunks_are_joined_by_the_separator(void **state)
{
    (void)state;
    struct snippet snippets[] = {{"a:1", "A", repeat("x", 300), 2, 0},
                                 {"a:2", "B", repeat("y", 300), 1, 0}};
    struct chunk_set set = pack(snippets, 2, 100, 6, 6000);

    assert_int_equal(set.count, 2);
    assert_string_equal(
        chunk_join(&arena, &set),
        arena_printf(&arena, "%s\n\n---\n\n%s", set.chunks[0].text, set.chunks[1].text));
    assert_true(set.context_tokens >
                set.chunks[0].estimated_tokens + set.chunks[1].estimated_tokens);
}

static void nothing_makes_nothing(void **state)
{
    (void)state;
    struct snippet snippet = {"a:1", "A", "body", 1, 0};
    static const struct chunk_limits none[] = {
        {0, 6, 6000}, {500, 0, 6000}, {500, 6, 0}, {-1, -1, -1}};
    struct chunk_set set = pack(NULL, 0, 500, 6, 6000);

    assert_int_equal(set.count, 0);
    assert_string_equal(chunk_join(&arena, &set), "");
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        chunk_pack(&arena, &snippet, 1, &none[i], &set);
        assert_int_equal(set.count, 0);
        assert_int_equal(set.context_tokens, 0);
    }
}

static void at_most_eighty_snippets(void **state)
{
    (void)state;
    struct snippet snippets[100];
    for (int i = 0; i < 100; i++) {
        snippets[i] = (struct snippet){arena_printf(&arena, "article:%d", i), "L", "b", 1 + i, 0};
    }
    struct chunk_set set = pack(snippets, 100, 100000, 6, 100000);
    assert_int_equal(set.count, 1);
    assert_int_equal(set.chunks[0].snippet_count, SNIPPETS_MAX);
    assert_string_equal(set.chunks[0].snippet_ids[0], "article:99");
    assert_string_equal(set.chunks[0].snippet_ids[79], "article:20");
}

static void an_oversized_snippet_is_split_at_sentence_ends(void **state)
{
    (void)state;
    static const char *const sentences[] = {"One sentence about shipping to v1.5 of the moon. ",
                                            "Is this a question? ", "משלוח עד הבית תוך יומיים. "};
    for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++) {
        struct snippet snippet = {"article:long", "Long", repeat(sentences[i], 60), 1, 0};
        struct chunk_set set = pack(&snippet, 1, 100, 100, 100000);
        check_bounds(&set, 100, 100, 100000);
        assert_in_range(set.count, 2, 100);
        size_t length = strlen(sentences[i]) - 1, seen = 0;
        for (size_t j = 0; j < set.count; j++) {
            const char *text = set.chunks[j].text;
            assert_int_equal(strncmp(text, "[article:long] Long\n", 20), 0);
            assert_string_equal(set.chunks[j].snippet_ids[0], "article:long");
            assert_int_equal(strncmp(text + 20, sentences[i], length), 0);
            assert_int_equal(strncmp(text + strlen(text) - length, sentences[i], length), 0);
            seen += (strlen(text + 20) + 1) / (length + 1);
        }
        assert_int_equal(seen, 60); /* nothing lost, nothing twice */
    }
}

static void a_line_is_a_sentence(void **state)
{
    (void)state;
    struct snippet snippet = {"article:l", "L", repeat("an item without a full stop\n", 40), 1, 0};
    struct chunk_set set = pack(&snippet, 1, 60, 100, 100000);

    check_bounds(&set, 60, 100, 100000);
    for (size_t i = 0; i < set.count; i++) {
        size_t len = strlen(set.chunks[i].text);
        assert_string_equal(set.chunks[i].text + len - 4, "stop");
    }
}

static void without_sentences_it_is_split_at_blanks_then_anywhere(void **state)
{
    (void)state;
    struct snippet blanks = {"article:l", "L", repeat("word ", 400), 1, 0};
    struct chunk_set set = pack(&blanks, 1, 60, 100, 100000);
    check_bounds(&set, 60, 100, 100000);
    for (size_t i = 0; i < set.count; i++) {
        size_t len = strlen(set.chunks[i].text);
        assert_string_equal(set.chunks[i].text + len - 4, "word");
    }

    struct snippet solid = {"article:l", "L", repeat("é", 1000), 1, 0};
    set = pack(&solid, 1, 60, 100, 100000);
    check_bounds(&set, 60, 100, 100000);
    size_t seen = 0;
    for (size_t i = 0; i < set.count; i++) {
        seen += strlen(strchr(set.chunks[i].text, '\n') + 1);
    }
    assert_int_equal(seen, 2000);
}

static void smaller_ones_fill_what_is_left(void **state)
{
    (void)state;
    struct snippet snippets[] = {{"a:1", "A", repeat("x", 300), 3, 0},
                                 {"a:2", "B", repeat("y", 300), 2, 0},
                                 {"a:3", "C", "tiny", 1, 0}};
    struct chunk_set set = pack(snippets, 3, 100, 1, 6000);

    assert_int_equal(set.count, 1);
    assert_int_equal(set.chunks[0].snippet_count, 2);
    assert_string_equal(set.chunks[0].snippet_ids[1], "a:3");
}

static void a_heading_alone_is_never_sent(void **state)
{
    (void)state;
    struct snippet huge_label = {"article:x", repeat("label ", 500), "The body. And more of it.", 1,
                                 0};
    struct chunk_set set = pack(&huge_label, 1, 100, 6, 6000);
    check_bounds(&set, 100, 6, 6000);
    assert_int_equal(set.count, 1);
    assert_non_null(strstr(set.chunks[0].text, "\nThe body. And more of it."));

    struct snippet huge_id = {repeat("i", 5000), "L", "body", 1, 0};
    set = pack(&huge_id, 1, 100, 6, 6000);
    assert_int_equal(set.count, 0);
}

static unsigned seed;

static unsigned below(unsigned n)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 8) % n;
}

static char *random_text(size_t most)
{
    static const char *const pieces[] = {
        "word ", "x",    ". ", "! ", "\n",  "é",  "משלוח ",
        "? ",    "送料", "😀",  "  ", "1.5", "。", "averyveryverylongword",
        "\n\n",  ".",    "؟ ", "д",  "---", "[1]"};
    size_t len = 0, target = below((unsigned)most + 1);
    char *text = arena_alloc(&arena, target + 32);

    while (len < target) {
        const char *piece = pieces[below(sizeof(pieces) / sizeof(*pieces))];
        memcpy(text + len, piece, strlen(piece));
        len += strlen(piece);
    }
    text[len] = '\0';
    return text;
}

static void no_input_passes_a_bound(void **state)
{
    (void)state;
    static struct snippet snippets[120];
    for (unsigned round = 1; round <= 3000; round++) {
        seed = round;
        size_t count = below(round % 10 == 0 ? 120 : 12);
        int tokens = (int)below(round % 3 == 0 ? 30 : 1200);
        int chunks = (int)below(9);
        int context = (int)below(round % 5 == 0 ? 100 : 7000);
        for (size_t i = 0; i < count; i++) {
            snippets[i] =
                (struct snippet){arena_printf(&arena, "article:%u", below(1000)),
                                 random_text(round % 7 == 0 ? 900 : 40),
                                 random_text(i % 4 == 0 ? 9000 : 700), 0.001 * (1 + below(50)), 0};
        }
        struct chunk_set set = pack(snippets, count, tokens, chunks, context);
        check_bounds(&set, tokens, chunks, context);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contract_three_snippets_make_two_chunks),
        cmocka_unit_test(snippets_are_printed_in_falling_score),
        cmocka_unit_test(a_snippet_that_fits_to_the_token_stays),
        cmocka_unit_test(chunks_are_joined_by_the_separator),
        cmocka_unit_test(nothing_makes_nothing),
        cmocka_unit_test(at_most_eighty_snippets),
        cmocka_unit_test(an_oversized_snippet_is_split_at_sentence_ends),
        cmocka_unit_test(a_line_is_a_sentence),
        cmocka_unit_test(without_sentences_it_is_split_at_blanks_then_anywhere),
        cmocka_unit_test(smaller_ones_fill_what_is_left),
        cmocka_unit_test(a_heading_alone_is_never_sent),
        cmocka_unit_test(no_input_passes_a_bound),
    };

    return cmocka_run_group_tests_name("chunk", tests, setup, teardown);
}
