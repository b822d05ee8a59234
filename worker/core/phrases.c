#include "core/phrases.h"

#include <stdint.h>
#include <string.h>

#define BUCKETS 256
#define NOTHING SIZE_MAX

struct phrase {
    struct word words[PHRASE_WORDS_MAX];
    size_t count;
    size_t next; /* in its bucket */
};

struct phrases {
    struct phrase *list;
    size_t count;
    size_t most;
    size_t heads[BUCKETS];
};

/* A form shares at least its base's first two bytes (words.h: a base has three). */
static size_t bucket_of(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;

    return (bytes[0] * 31u + bytes[1]) % BUCKETS;
}

struct phrases *phrases_new(struct arena *a, size_t most)
{
    struct phrases *phrases = arena_zalloc(a, sizeof(*phrases));

    phrases->list = arena_zalloc(a, (most + 1) * sizeof(*phrases->list));
    phrases->most = most;
    for (size_t i = 0; i < BUCKETS; i++) {
        phrases->heads[i] = NOTHING;
    }
    return phrases;
}

void phrases_add(struct phrases *phrases, struct arena *a, const char *text)
{
    if (phrases->count == phrases->most) {
        return;
    }
    struct phrase *phrase = &phrases->list[phrases->count];
    phrase->count = words_of(a, text, strlen(text), phrase->words, PHRASE_WORDS_MAX);
    if (phrase->count > 0) {
        size_t bucket = bucket_of(phrase->words[0].text);
        phrase->next = phrases->heads[bucket];
        phrases->heads[bucket] = phrases->count;
    }
    phrases->count++;
}

size_t phrases_count(const struct phrases *phrases)
{
    return phrases->count;
}

size_t phrases_words(const struct phrases *phrases, size_t number)
{
    return phrases->list[number].count;
}

static bool begins_here(const struct phrase *phrase, const struct word *words, size_t left)
{
    if (phrase->count > left) {
        return false;
    }
    for (size_t i = 0; i < phrase->count; i++) {
        if (!word_is_form_of(&words[i], &phrase->words[i])) {
            return false;
        }
    }
    return true;
}

void phrases_find(const struct phrases *phrases, const struct word *words, size_t count, bool *said)
{
    for (size_t at = 0; at < count; at++) {
        size_t starts[WORD_STARTS_MAX];
        size_t most = word_starts(&words[at], starts);
        for (size_t s = 0; s < most; s++) {
            size_t number = phrases->heads[bucket_of(words[at].text + starts[s])];
            for (; number != NOTHING; number = phrases->list[number].next) {
                said[number] =
                    said[number] || begins_here(&phrases->list[number], words + at, count - at);
            }
        }
    }
}
