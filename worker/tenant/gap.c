#include "tenant/gap.h"

#include "core/words.h"
#include "llm/stem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX      64 /* words of a question */
#define HEBREW_LETTER 2  /* bytes */
#define HEBREW_LEAST  (3 * HEBREW_LETTER)

/* A Hebrew word without its prefixes, as far as three letters are left: all of them, for a letter
 * that only looks like one is taken off wherever the word stands. */
static struct word without_prefixes(struct word word)
{
    size_t starts[WORD_STARTS_MAX], at;

    do {
        size_t count = word_starts(&word, starts);
        at = 0;
        for (size_t i = 0; i < count; i++) {
            if (word.len - starts[i] >= HEBREW_LEAST)
                at = starts[i];
        }
        word = (struct word){word.text + at, word.len - at};
    } while (at > 0);
    return word;
}

/* One number a word, whatever its ending. */
static int32_t number_of(const struct word *word)
{
    struct word bare = word_is_hebrew(word) ? without_prefixes(*word) : *word;
    size_t starts[WORD_STARTS_MAX];
    struct stems stems;

    stems_of(&stems, &bare);
    /* a Hebrew ending is taken off behind the whole word, where it begins only once */
    bool ends = word_is_hebrew(&bare) && word_starts(&bare, starts) == 1 && stems.count > 1;
    return stems.count == 0 ? 0 : (int32_t)stems.hash[ends ? 1 : 0];
}

static int compare(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

static bool has(const struct gap *gap, int32_t word)
{
    for (size_t i = 0; i < gap->count; i++) {
        if (gap->words[i] == word)
            return true;
    }
    return false;
}

void gap_of(struct gap *gap, const char *question, size_t len)
{
    struct arena a;

    arena_init(&a);
    gap->count = 0;
    struct word *words = arena_alloc(&a, READ_MAX * sizeof(*words));
    size_t count = words_of(&a, question, len, words, READ_MAX);
    for (size_t i = 0; i < count && gap->count < GAP_WORDS_MAX; i++) {
        int32_t number = number_of(&words[i]);
        if (!word_is_stop(&words[i]) && !has(gap, number))
            gap->words[gap->count++] = number;
    }
    qsort(gap->words, gap->count, sizeof(gap->words[0]), compare);
    arena_free(&a);
}

bool gap_alike(const struct gap *a, const struct gap *b)
{
    size_t both = 0, fewer = a->count < b->count ? a->count : b->count;

    if (3 * fewer < a->count + b->count)
        return false;
    for (size_t i = 0, k = 0; i < a->count && k < b->count;) {
        both += a->words[i] == b->words[k];
        bool next = a->words[i] <= b->words[k];
        k += a->words[i] >= b->words[k];
        i += next;
    }
    return both > 0 && 3 * both >= a->count + b->count;
}

void gap_write(const struct gap *gap, char out[GAP_TEXT_SIZE])
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < gap->count; i++)
        len += (size_t)snprintf(out + len, GAP_TEXT_SIZE - len, i > 0 ? ",%d" : "%d",
                                (int)gap->words[i]);
}

/* Strict, since it is written into a statement's array. */
static bool read_number(const char **text, int32_t *number)
{
    char *end;

    if (**text != '-' && (**text < '0' || **text > '9'))
        return false;
    errno = 0;
    long value = strtol(*text, &end, 10);
    if (end == *text || errno != 0 || value < INT32_MIN || value > INT32_MAX)
        return false;
    *number = (int32_t)value;
    *text = end;
    return true;
}

static bool read_all(const char *text, struct gap *gap)
{
    for (;;) {
        int32_t *number = &gap->words[gap->count];
        if (gap->count == GAP_WORDS_MAX || !read_number(&text, number) ||
            (gap->count > 0 && *number <= number[-1]))
            return false;
        gap->count++;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

bool gap_read(const char *text, struct gap *gap)
{
    *gap = (struct gap){0};
    if (read_all(text, gap))
        return true;
    gap->count = 0;
    return false;
}
