/* ENG-5: llm/embedding.h and context/vectors.h - vectors as they come over the wire, and the
 * nearest of many. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "context/vectors.h"
#include "core/arena.h"
#include "llm/embedding.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct arena arena;

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

static bool decode(const char *body, size_t count, int dimensions, struct embedding_vectors *v)
{
    char error[128] = "";
    bool ok = embedding_decode(&arena, body, strlen(body), count, dimensions, v, error);
    assert_int_equal(ok, error[0] == '\0');
    return ok;
}

/* -- the wire -------------------------------------------------------------------------- */

static void test_encode(void **state)
{
    static const char *const inputs[] = {"a \"quoted\" text", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"};
    struct embedding_request request = {"m", 256, inputs, 2};
    struct buf body;

    (void)state;
    buf_init(&body, 4096);
    assert_true(embedding_encode(&request, &body));
    assert_string_equal(body.data, "{\"model\":\"m\",\"input\":[\"a \\\"quoted\\\" text\","
                                   "\"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\"],\"dimensions\":256,"
                                   "\"encoding_format\":\"base64\"}");
    buf_reset(&body);
    request.dimensions = 0;
    assert_true(embedding_encode(&request, &body));
    assert_null(strstr(body.data, "dimensions"));
    buf_reset(&body);
    request.count = 0;
    assert_false(embedding_encode(&request, &body));
    buf_free(&body);
    assert_null(embedding_headers(&arena, "a\r\nX-Forged: 1"));
    assert_string_equal(embedding_headers(&arena, "key")[2], "Authorization: Bearer key");
    assert_null(embedding_headers(&arena, NULL)[2]);
}

/* 3, 4 as float4 in little-endian order, in base64; as numbers the same. */
static void test_decode(void **state)
{
    static const char *const bodies[] = {
        "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":"
        "\"AABAQAAAgEA=\"}],\"model\":\"m\",\"usage\":{\"prompt_tokens\":5,\"total_tokens\":5}}",
        "{\"data\":[{\"embedding\":[3,4.0e0],\"index\":0,\"new\":{}}],\"usage\":{\"prompt_tokens\":"
        "5}}",
        "{\"data\":[{\"embedding\":[3,4]}],\"usage\":{\"prompt_tokens\":5}}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct embedding_vectors v;
        assert_true(decode(bodies[i], 1, 0, &v));
        assert_int_equal(v.dimensions, 2);
        assert_int_equal(v.tokens, 5);
        assert_true(fabs((double)v.values[0] - 0.6) < 1e-6); /* of length 1 */
        assert_true(fabs((double)v.values[1] - 0.8) < 1e-6);
        assert_true(decode(bodies[i], 1, 2, &v));
        assert_false(decode(bodies[i], 1, 3, &v));
        assert_false(decode(bodies[i], 2, 0, &v));
    }
}

static void test_order(void **state)
{
    struct embedding_vectors v;

    (void)state;
    assert_true(decode("{\"data\":[{\"index\":1,\"embedding\":[0,2]},"
                       "{\"index\":0,\"embedding\":[2,0]}]}",
                       2, 2, &v));
    assert_true(v.values[0] > 0.9f && v.values[3] > 0.9f);
    assert_int_equal(v.tokens, -1);
}

static void test_what_is_wrong(void **state)
{
    static const char *const bodies[] = {
        "",
        "<html></html>",
        "[]",
        "{}",
        "{\"data\":null}",
        "{\"data\":{}}",
        "{\"data\":[null]}",
        "{\"data\":[{}]}",
        "{\"data\":[{\"embedding\":[]}]}",
        "{\"data\":[{\"embedding\":{}}]}",
        "{\"data\":[{\"embedding\":\"\"}]}",
        "{\"data\":[{\"embedding\":\"AABAQ\"}]}",
        "{\"data\":[{\"embedding\":\"AABAQAAA\"}]}",     /* six bytes */
        "{\"data\":[{\"embedding\":\"!!!!QAAAgEA=\"}]}", /* no base64 */
        "{\"data\":[{\"embedding\":\"AADAfwAAgEA=\"}]}", /* not a number */
        "{\"data\":[{\"embedding\":\"AACAfwAAgEA=\"}]}", /* infinite */
        "{\"data\":[{\"embedding\":[0,0]}]}",            /* no direction */
        "{\"data\":[{\"embedding\":[1,\"2\"]}]}",
        "{\"data\":[{\"embedding\":[1,null]}]}",
        "{\"data\":[{\"embedding\":[1e999,1]}]}",
        "{\"data\":[{\"embedding\":[1e38,1e38]}]",
        "{\"data\":[{\"index\":1,\"embedding\":[1,2]}]}",
        "{\"data\":[{\"index\":-1,\"embedding\":[1,2]}]}",
        "{\"error\":{\"message\":\"Incorrect API key provided: sk-1\"}}",
    };
    struct embedding_vectors v;

    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++)
        assert_false(decode(bodies[i], 1, 0, &v));
    assert_false(decode("{\"data\":[{\"index\":0,\"embedding\":[1,2]},"
                        "{\"index\":0,\"embedding\":[1,2]}]}",
                        2, 0, &v)); /* twice the same */
    assert_false(decode("{\"data\":[{\"index\":0,\"embedding\":[1,2]},"
                        "{\"index\":1,\"embedding\":[1,2,3]}]}",
                        2, 0, &v)); /* not all alike */
}

/* -- the nearest ------------------------------------------------------------------------- */

static unsigned seed = 1;

static float noise(void)
{
    seed = seed * 1103515245u + 12345u;
    return (float)(seed >> 16 & 0x7fff) / 16384.0f - 1.0f;
}

static void make_row(float *row, int dimensions)
{
    for (int i = 0; i < dimensions; i++)
        row[i] = noise();
    assert_true(embedding_normalise(row, dimensions));
}

/* The rows of a matrix, held against every one of them. */
static void test_search_is_exact(void **state)
{
    enum { ROWS = 500, DIMENSIONS = 37 };
    static float rows[ROWS][DIMENSIONS];
    struct vectors *vectors = vectors_new(DIMENSIONS, 1 << 20);
    float question[DIMENSIONS];
    struct ranked *found;

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        char id[16];
        make_row(rows[i], DIMENSIONS);
        snprintf(id, sizeof(id), "s%d", i);
        assert_true(vectors_add(vectors, id, (const unsigned char *)rows[i], sizeof(rows[i])));
    }
    make_row(question, DIMENSIONS);
    size_t count = vectors_search(vectors, &arena, question, &found);
    assert_true(count > 0 && count <= VECTORS_FOUND_MAX);
    double best = -2, last = 2;
    for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int k = 0; k < DIMENSIONS; k++)
            sum += (double)rows[i][k] * (double)question[k];
        best = sum > best ? sum : best;
    }
    assert_true(fabs(found[0].score - best) < 1e-5);
    for (size_t i = 0; i < count; i++) {
        assert_true(found[i].score <= last && found[i].score >= VECTORS_LEAST);
        assert_true(found[i].score >= best * VECTORS_LEAST_PART - 1e-6);
        last = found[i].score;
    }
    size_t self = vectors_search(vectors, &arena, rows[123], &found);
    assert_true(self > 0);
    assert_string_equal(found[0].id, "article:s123");
    vectors_free(vectors);
}

static void test_nothing_near(void **state)
{
    static const float row[2] = {1, 0}, question[2] = {0, 1};
    struct vectors *vectors = vectors_new(2, 4096);
    struct ranked *found;

    (void)state;
    assert_int_equal(vectors_search(vectors, &arena, question, &found), 0);
    assert_true(vectors_add(vectors, "far", (const unsigned char *)row, sizeof(row)));
    assert_int_equal(vectors_search(vectors, &arena, question, &found), 0);
    vectors_free(vectors);
}

static void test_memory_is_bounded(void **state)
{
    static const unsigned char row[4 * 64];
    struct vectors *vectors = vectors_new(64, 100000);
    size_t rows = 0;

    (void)state;
    assert_false(vectors_add(vectors, "x", row, sizeof(row) - 4)); /* another length */
    while (rows < 100000 && vectors_add(vectors, "section", row, sizeof(row)))
        rows++;
    assert_true(rows > 300 && rows < 391);
    assert_int_equal(vectors_count(vectors), rows);
    assert_true(vectors_bytes(vectors) <= 100000);
    vectors_free(vectors);
}

#define T(name, function)                                                                          \
    {                                                                                              \
        name, function, set_up, tear_down, NULL                                                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("ENG-5: what is asked for", test_encode),
        T("ENG-5: base64 and lists of numbers, of length 1", test_decode),
        T("ENG-5: vectors in another order", test_order),
        T("ENG-5: what is no vector is refused", test_what_is_wrong),
        T("ENG-5: the nearest, exactly", test_search_is_exact),
        T("ENG-5: what is far is not found", test_nothing_near),
        T("ENG-5: the memory of vectors is bounded", test_memory_is_bounded),
    };

    return cmocka_run_group_tests_name("embedding", tests, NULL, NULL);
}
