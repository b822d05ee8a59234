#include "context/terms.h"

#include "core/buf.h"
#include "core/utf8.h"

#include <string.h>

#define QUESTION_WORDS_MAX 256
#define STEM_LETTERS_MIN   3
#define HEBREW_STEMS_MAX   3
#define FORMS_BYTES_MAX    8192

static size_t letters_of(const char *text, size_t len)
{
    const char *end = text + len;
    size_t count = 0;

    while (text < end) {
        utf8_next(&text, end);
        count++;
    }
    return count;
}

/* Bytes of the first `count` letters. */
static size_t first_letters(const char *text, size_t len, size_t count)
{
    const char *at = text, *end = text + len;

    while (count-- > 0 && at < end) {
        utf8_next(&at, end);
    }
    return (size_t)(at - text);
}

/* PostgreSQL's parser cuts at apostrophes and gershayim: the longest piece is what
 * it has indexed of l'avion. */
static struct word longest_piece(struct arena *a, const struct word *word)
{
    struct word longest = {"", 0};

    for (const char *piece = word->text; *piece != '\0';) {
        size_t len = strcspn(piece, "'");
        if (len > longest.len) {
            longest = (struct word){piece, len};
        }
        piece += len + (piece[len] == '\'');
    }
    longest.text = arena_strndup(a, longest.text, longest.len);
    return longest;
}

/* Without the ending that the plural, the feminine or the construct would change. */
static size_t hebrew_stem(const char *base, size_t len)
{
    static const char *const endings[] = {"ים", "ות", "ה", "ת", "ם", "ן", "ץ", "ף", "ך"};

    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
        size_t ending = strlen(endings[i]);
        if (len > ending && memcmp(base + len - ending, endings[i], ending) == 0 &&
            letters_of(base, len - ending) >= STEM_LETTERS_MIN) {
            return len - ending;
        }
    }
    return len;
}

/* The word's possible stems, each behind the prefixes a text may have put to it. */
static const char *hebrew_forms(struct arena *a, const struct word *word)
{
    static const char *const prefixes[] = {"",  "ה",  "ב",  "ל",  "ו",  "מ",  "ש",
                                           "כ", "וה", "שה", "מה", "כש", "ול", "וב"};
    size_t starts[WORD_STARTS_MAX];
    size_t count = word_starts(word, starts);
    struct buf forms;

    buf_init(&forms, FORMS_BYTES_MAX);
    for (size_t i = 0; i < count && i < HEBREW_STEMS_MAX; i++) {
        const char *base = word->text + starts[i];
        size_t stem = hebrew_stem(base, word->len - starts[i]);
        bool long_enough = letters_of(base, stem) >= STEM_LETTERS_MIN;
        if (i > 0 && !long_enough) {
            break;
        }
        for (size_t j = 0; j < sizeof(prefixes) / sizeof(*prefixes); j++) {
            buf_printf(&forms, "%s%s%.*s%s", forms.len > 0 ? " " : "", prefixes[j], (int)stem, base,
                       long_enough ? "*" : "");
        }
    }
    const char *text = arena_strndup(a, forms.data, forms.len);
    buf_free(&forms);
    return text;
}

/* Where no stemmer of PostgreSQL helps, a common beginning does: Russian and
 * Spanish inflect the last letter, English sections have their stems as well. */
static const char *forms_of(struct arena *a, const struct word *word, bool english)
{
    size_t letters = letters_of(word->text, word->len);

    if (word_is_hebrew(word)) {
        return hebrew_forms(a, word);
    }
    if (letters < (english ? 5u : 4u)) {
        return word->text;
    }
    size_t len = word->len;
    if (!word_is_ascii(word) && letters > 4) {
        len = first_letters(word->text, word->len, letters - 1);
    }
    return arena_printf(a, "%.*s*", (int)len, word->text);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool is_listed(const struct term *terms, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(terms[i].word, word) == 0) {
            return true;
        }
    }
    return false;
}

/* The words of a text, without those of addresses. */
static size_t plain_words(struct arena *a, const char *text, size_t len, struct word *words,
                          size_t max)
{
    const char *end = text + len;
    size_t count = 0;

    while (text < end && count < max) {
        const char *start = text;
        while (text < end && !is_blank(*text)) {
            text++;
        }
        if (!words_are_address(start, (size_t)(text - start))) {
            count += words_of(a, start, (size_t)(text - start), words + count, max - count);
        }
        text += text < end;
    }
    return count;
}

size_t terms_of(struct arena *a, const char *question, size_t len, const char *language,
                struct term terms[TERMS_MAX])
{
    struct word *words = arena_alloc(a, QUESTION_WORDS_MAX * sizeof(*words));
    size_t word_count = plain_words(a, question, len, words, QUESTION_WORDS_MAX);
    bool english = strncmp(language, "en", 2) == 0;
    size_t count = 0;

    for (size_t i = 0; i < word_count && count < TERMS_MAX; i++) {
        if (word_is_stop(&words[i])) {
            continue;
        }
        struct word word = longest_piece(a, &words[i]);
        if (letters_of(word.text, word.len) > 1 && !is_listed(terms, count, word.text)) {
            terms[count++] = (struct term){word.text, forms_of(a, &word, english)};
        }
    }
    return count;
}

const char *terms_query(struct arena *a, const char *forms)
{
    struct buf query;

    buf_init(&query, 2 * FORMS_BYTES_MAX);
    while (*forms != '\0') {
        size_t len = strcspn(forms, " ");
        bool goes_on = forms[len - 1] == '*';
        buf_printf(&query, "%s'%.*s'%s", query.len > 0 ? " | " : "", (int)(len - goes_on), forms,
                   goes_on ? ":*" : "");
        forms += len + (forms[len] == ' ');
    }
    const char *text = arena_strndup(a, query.data, query.len);
    buf_free(&query);
    return text;
}
