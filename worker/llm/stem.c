#include "llm/stem.h"

#include <string.h>

#define HEBREW_LETTER 2 /* bytes */

static void add(struct stems *stems, const char *text, size_t len)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    }
    if (stems->count < STEMS_MAX) {
        stems->hash[stems->count++] = hash;
    }
}

static size_t without(const char *text, size_t len, const char *ending, size_t least)
{
    size_t size = strlen(ending);
    bool has = len >= size + least && memcmp(text + len - size, ending, size) == 0;
    return has ? len - size : len;
}

/* deliveries, delivery; shipping, shipped, ships; prices, pricing. */
static void add_english(struct stems *stems, const struct word *word)
{
    static const char *const endings[] = {"ings", "ing", "ed", "es", "s"};
    char text[WORD_BYTES_MAX + 1];
    size_t len = word->len;
    memcpy(text, word->text, len);
    size_t plain = without(text, len, "ies", 3);
    if (plain < len) {
        text[plain] = 'y';
        len = plain + 1;
    }
    bool is_ss = len > 2 && text[len - 1] == 's' && text[len - 2] == 's';
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]) && !is_ss; i++) {
        size_t shorter = without(text, len, endings[i], 3);
        if (shorter < len) {
            len = shorter;
            break;
        }
    }
    if (len > 3 && text[len - 1] == text[len - 2] && strchr("aeiouls", text[len - 1]) == NULL) {
        len--;
    }
    add(stems, text, without(text, len, "e", 3));
}

/* The last letter of a stem is not written as one of a word: mem, nun, tsadi, pe and
 * kaf have another form there, which is the code before the usual one. */
static void add_hebrew_stem(struct stems *stems, const char *word, size_t len)
{
    char text[WORD_BYTES_MAX];
    memcpy(text, word, len);
    unsigned char last = (unsigned char)text[len - 1];
    if (last == 0x9a || last == 0x9d || last == 0x9f || last == 0xa3 || last == 0xa5) {
        text[len - 1] = (char)(last + 1);
    }
    add(stems, text, len);
}

static void add_hebrew(struct stems *stems, const struct word *word)
{
    static const char *const endings[] = {"ים", "ות", "ה"};
    size_t starts[WORD_STARTS_MAX];
    size_t count = word_starts(word, starts);
    for (size_t i = 0; i < count; i++) {
        const char *text = word->text + starts[i];
        size_t len = word->len - starts[i];
        add_hebrew_stem(stems, text, len);
        for (size_t k = 0; k < sizeof(endings) / sizeof(endings[0]); k++) {
            size_t shorter = without(text, len, endings[k], 3 * HEBREW_LETTER);
            if (shorter < len) {
                add_hebrew_stem(stems, text, shorter);
                break;
            }
        }
    }
}

void stems_of(struct stems *stems, const struct word *word)
{
    stems->count = 0;
    if (word_is_hebrew(word)) {
        add_hebrew(stems, word);
    } else if (word_is_ascii(word)) {
        add_english(stems, word);
    } else {
        add(stems, word->text, word->len);
    }
}

bool stems_meet(const struct stems *a, const struct stems *b)
{
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < b->count; k++) {
            if (a->hash[i] == b->hash[k]) {
                return true;
            }
        }
    }
    return false;
}
