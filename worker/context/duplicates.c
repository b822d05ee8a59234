#include "context/duplicates.h"

#include "core/words.h"

#include <stdlib.h>
#include <string.h>

#define SKETCH_SIZE     48
#define SAME_SHARE      0.85  /* of two sketches */
#define BODY_BYTES_MAX  16384 /* a longer body is like no other */
#define WORDS_A_SHINGLE 3

struct sketch {
    uint64_t least[SKETCH_SIZE]; /* of the hashes of its word triples, rising */
    size_t count;
    uint64_t numbers; /* of its words with digits, in any order */
};

static uint64_t hash_of(const char *text, size_t len) /* FNV-1a, then mixed */
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    }
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
    return hash ^ hash >> 33;
}

static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

static bool has_digit(const struct word *word)
{
    return strpbrk(word->text, "0123456789") != NULL;
}

static void sketch_of(const char *body, size_t len, struct sketch *sketch)
{
    size_t most = len / 2 + 1;
    uint64_t before[WORDS_A_SHINGLE - 1] = {0};
    struct arena scratch;

    arena_init(&scratch);
    struct word *words = arena_alloc(&scratch, most * sizeof(*words));
    uint64_t *shingles = arena_alloc(&scratch, most * sizeof(*shingles));
    size_t count = words_of(&scratch, body, len, words, most);
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = hash_of(words[i].text, words[i].len);
        sketch->numbers += has_digit(&words[i]) ? hash : 0;
        shingles[i] = hash * 31 + before[0] * 17 + before[1];
        before[1] = before[0];
        before[0] = hash;
    }
    qsort(shingles, count, sizeof(*shingles), by_value);
    for (size_t i = 0; i < count && sketch->count < SKETCH_SIZE; i++) {
        if (sketch->count == 0 || sketch->least[sketch->count - 1] != shingles[i]) {
            sketch->least[sketch->count++] = shingles[i];
        }
    }
    arena_free(&scratch);
}

/* The share of the least hashes of both together that both have. */
static bool are_same(const struct sketch *a, const struct sketch *b)
{
    size_t i = 0, k = 0, both = 0, seen = 0;

    if (a->count == 0 || b->count == 0 || a->numbers != b->numbers) {
        return false;
    }
    while (seen < SKETCH_SIZE && (i < a->count || k < b->count)) {
        bool left = k == b->count || (i < a->count && a->least[i] <= b->least[k]);
        bool right = i == a->count || (k < b->count && b->least[k] <= a->least[i]);
        both += left && right;
        i += left;
        k += right;
        seen++;
    }
    return (double)both >= SAME_SHARE * (double)seen;
}

size_t duplicates_drop(struct arena *a, struct candidate *candidates, size_t count)
{
    struct sketch *kept = arena_zalloc(a, (count + 1) * sizeof(*kept));
    size_t stay = 0;

    for (size_t i = 0; i < count; i++) {
        const char *body = candidates[i].snippet.body;
        size_t len = strlen(body);
        bool repeats = false;
        kept[stay] = (struct sketch){.count = 0};
        if (candidates[i].family != NULL && len <= BODY_BYTES_MAX) {
            sketch_of(body, len, &kept[stay]);
        }
        for (size_t k = 0; k < stay && !repeats; k++) {
            repeats = are_same(&kept[stay], &kept[k]);
        }
        if (!repeats) {
            candidates[stay++] = candidates[i];
        }
    }
    return stay;
}
