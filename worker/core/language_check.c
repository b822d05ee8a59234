#include "core/language_check.h"

#include "core/letters.h"
#include "core/utf8.h"
#include "core/words.h"

#include <string.h>

#define LETTERS_LEAST 12 /* to judge by */

struct tally {
    size_t expected, other;
    enum letters_script script;
};

/* Behind what starts at `at` with `mark` and ends with it; NULL: it has no end. */
static const char *behind(const char *at, const char *end, const char *mark, size_t len)
{
    for (at += len; at + len <= end; at++) {
        if (memcmp(at, mark, len) == 0)
            return at + len;
    }
    return NULL;
}

/* Behind the code, citation or link target that starts here; else NULL. */
static const char *behind_markup(const char *at, const char *end)
{
    const char *close;

    if (*at == '`') {
        bool fence = end - at >= 3 && memcmp(at, "```", 3) == 0;
        close = behind(at, end, fence ? "```" : "`", fence ? 3 : 1);
        return close != NULL ? close : fence ? end : NULL; /* the answer ended inside it */
    }
    if (*at == '[') { /* [article:shipping] */
        close = memchr(at, ']', (size_t)(end - at));
        bool cites = close != NULL && memchr(at, ':', (size_t)(close - at)) != NULL &&
                     memchr(at, ' ', (size_t)(close - at)) == NULL;
        return cites ? close + 1 : NULL;
    }
    if (*at == '(' && end - at > 8 && memcmp(at, "(http", 5) == 0) {
        close = memchr(at, ')', (size_t)(end - at));
        return close != NULL ? close + 1 : NULL;
    }
    return NULL;
}

static bool ends_word(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '`' || c == '[' || c == '(';
}

/* Among other letters a Latin word that is not all lower case is a name: iPhone, DHL, Nike. */
static bool is_name(const char *word, const char *end)
{
    for (; word < end; word++) {
        if ((*word >= 'A' && *word <= 'Z') || (*word >= '0' && *word <= '9'))
            return true;
    }
    return false;
}

static void tally_word(struct tally *tally, const char *word, const char *end)
{
    if (words_are_address(word, (size_t)(end - word)))
        return;
    bool name = tally->script != LETTERS_LATIN && is_name(word, end);
    while (word < end) {
        enum letters_script script = letters_script_of(utf8_next(&word, end));
        bool same =
            script == tally->script || (tally->script == LETTERS_KANA && script == LETTERS_HAN);
        if (script == LETTERS_NONE || (name && script == LETTERS_LATIN))
            continue;
        tally->expected += same;
        tally->other += !same;
    }
}

bool language_differs(const char *text, size_t len, const char *expected)
{
    struct tally tally = {.script = letters_of_language(expected)};
    const char *at = text, *end = text + len;

    if (tally.script == LETTERS_NONE)
        return false;
    while (at < end) {
        const char *next = behind_markup(at, end);
        if (next == NULL) {
            next = at + 1;
            while (next < end && !ends_word(*next))
                next++;
            tally_word(&tally, at, next);
        }
        at = next;
    }
    return tally.expected + tally.other >= LETTERS_LEAST && tally.other > tally.expected;
}
