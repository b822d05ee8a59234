#include "core/language.h"

#include "core/letters.h"
#include "core/words.h"

#include <string.h>

#define WORDS_LOOKED_AT 64
#define WORDS_OF_A_TEXT 3 /* a brand's name has fewer */

/* Words without digits that are no Hebrew, and those among them that are no names: "how",
 * "the", "please". */
struct latin_words {
    size_t count, common;
};

static bool has_digit(const struct word *word)
{
    for (size_t i = 0; i < word->len; i++) {
        if (word->text[i] >= '0' && word->text[i] <= '9')
            return true;
    }
    return false;
}

static void count_words(struct arena *a, const char *text, size_t len, struct latin_words *latin)
{
    struct word words[WORDS_LOOKED_AT];
    size_t count = words_of(a, text, len, words, WORDS_LOOKED_AT);

    for (size_t i = 0; i < count; i++) {
        if (word_is_hebrew(&words[i]) || has_digit(&words[i]))
            continue;
        latin->count++;
        latin->common += word_is_stop(&words[i]) ? 1 : 0;
    }
}

/* Addresses left out: they are words in no language. */
static struct latin_words latin_words(const char *text, size_t len)
{
    struct latin_words latin = {0};
    const char *at = text, *end = text + len;
    struct arena a;

    arena_init(&a);
    while (at < end && latin.count < WORDS_LOOKED_AT) {
        const char *part = at;
        while (at < end && strchr(" \t\r\n", *at) == NULL)
            at++;
        if (!words_are_address(part, (size_t)(at - part)))
            count_words(&a, part, (size_t)(at - part), &latin);
        at += at < end;
    }
    arena_free(&a);
    return latin;
}

/* Brands and commands are Latin inside any language, the reverse is rare: a Latin letter
 * weighs half, and less where no word of them is one of a sentence. */
static bool outweighs_latin(const char *text, size_t len, const struct letters *letters)
{
    size_t most = letters->of[letters->most], latin = letters->of[LETTERS_LATIN];

    if (most * 2 >= latin)
        return most > 0;
    return most > 1 && most * 10 >= latin && latin_words(text, len).common == 0;
}

const char *language_of(const char *text, size_t len, const char *otherwise)
{
    struct letters letters;

    letters_count(text, len, &letters);
    if (outweighs_latin(text, len, &letters))
        return letters_language(letters.most);
    if (letters.of[LETTERS_LATIN] > 0 && otherwise != NULL &&
        letters_of_language(otherwise) != LETTERS_LATIN)
        return "en";
    return otherwise;
}

bool language_is_clear(const char *text, size_t len)
{
    struct letters letters;

    letters_count(text, len, &letters);
    if (outweighs_latin(text, len, &letters))
        return letters.of[letters.most] > 1;
    struct latin_words latin = latin_words(text, len);
    return latin.count >= WORDS_OF_A_TEXT || (latin.count >= 2 && latin.common > 0);
}
