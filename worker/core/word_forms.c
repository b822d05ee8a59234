/* Inflections: which words are forms of one another, which are too common. */
#include "core/words.h"

#include "core/utf8.h"

#include <stdint.h>
#include <string.h>

enum {
    BET = 0x5D1,
    HE = 0x5D4,
    VAV = 0x5D5,
    KAF = 0x5DB,
    LAMED = 0x5DC,
    MEM = 0x5DE,
    SHIN = 0x5E9
};

/* PostgreSQL's English stop words, and what people wrap a question in. */
static const char *const english_stops[] = {
    "a",       "able",   "about",    "above",   "after",      "again",     "against",    "all",
    "am",      "an",     "and",      "any",     "are",        "as",        "at",         "be",
    "because", "been",   "before",   "being",   "below",      "between",   "both",       "but",
    "by",      "can",    "could",    "did",     "do",         "does",      "doing",      "don",
    "down",    "during", "each",     "few",     "for",        "from",      "further",    "get",
    "going",   "got",    "had",      "has",     "have",       "having",    "he",         "hello",
    "her",     "here",   "hers",     "herself", "hey",        "hi",        "him",        "himself",
    "his",     "how",    "i",        "if",      "in",         "into",      "is",         "it",
    "its",     "itself", "just",     "know",    "let",        "like",      "long",       "many",
    "may",     "me",     "more",     "most",    "much",       "my",        "myself",     "need",
    "no",      "nor",    "not",      "now",     "of",         "off",       "on",         "once",
    "only",    "or",     "other",    "our",     "ours",       "ourselves", "out",        "over",
    "own",     "please", "possible", "same",    "she",        "should",    "so",         "some",
    "such",    "take",   "takes",    "tell",    "than",       "thank",     "thanks",     "that",
    "the",     "their",  "theirs",   "them",    "themselves", "then",      "there",      "these",
    "they",    "this",   "those",    "through", "to",         "too",       "under",      "until",
    "up",      "us",     "very",     "want",    "was",        "we",        "were",       "what",
    "when",    "where",  "which",    "while",   "who",        "whom",      "why",        "will",
    "with",    "would",  "you",      "your",    "yours",      "yourself",  "yourselves",
};

static const char *const hebrew_stops[] = {
    "אבל",   "או",    "אוכל", "אותו", "אותי",  "אז",  "איזה", "איזו",  "איך",  "אילו", "אין",
    "איפה",  "אל",    "אלה",  "אם",   "אנחנו", "אני", "אפשר", "אפשרי", "אשר",  "את",   "אתה",
    "אתם",   "בבקשה", "בין",  "גם",   "האם",   "הוא", "היא",  "היה",   "היו",  "היי",  "הם",
    "הן",    "ו",     "זאת",  "זה",   "זו",    "זמן", "יכול", "יכולה", "יש",   "כאשר", "כי",
    "כך",    "כל",    "כמה",  "כמו",  "כן",    "לא",  "לגבי", "לה",    "להם",  "לו",   "לוקח",
    "לוקחת", "לי",    "לך",   "לכם",  "למה",   "לנו", "מאוד", "מה",    "מהו",  "מהי",  "מי",
    "מתי",   "נא",    "עד",   "עוד",  "על",    "עם",  "צריך", "צריכה", "רוצה", "רק",   "של",
    "שלה",   "שלהם",  "שלו",  "שלום", "שלי",   "שלך", "שלכם", "שלנו",  "תודה",
};

static bool is_listed(const struct word *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word->text, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool ends_with(const struct word *word, const char *ending)
{
    size_t len = strlen(ending);

    return word->len >= len && memcmp(word->text + word->len - len, ending, len) == 0;
}

static bool is_contraction(const struct word *word)
{
    static const char *const endings[] = {"n't", "'re", "'ll", "'ve", "'m", "'d"};

    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
        if (ends_with(word, endings[i])) {
            return true;
        }
    }
    return false;
}

bool word_is_stop(const struct word *word)
{
    if (word_is_hebrew(word)) {
        return is_listed(word, hebrew_stops, sizeof(hebrew_stops) / sizeof(*hebrew_stops));
    }
    return is_contraction(word) ||
           is_listed(word, english_stops, sizeof(english_stops) / sizeof(*english_stops));
}

/* Where the chain of prefixes stands: and - that/when - from - the, in, to, as. */
enum chain { CHAIN_START, CHAIN_VAV, CHAIN_SHIN, CHAIN_KAF, CHAIN_MEM, CHAIN_CLOSED, CHAIN_BROKEN };

static enum chain chain_next(enum chain chain, uint32_t letter)
{
    switch (letter) {
    case VAV: return chain == CHAIN_START ? CHAIN_VAV : CHAIN_BROKEN;
    case SHIN: return chain <= CHAIN_VAV || chain == CHAIN_KAF ? CHAIN_SHIN : CHAIN_BROKEN;
    case KAF: return chain <= CHAIN_SHIN ? CHAIN_KAF : CHAIN_BROKEN;
    case MEM: return chain <= CHAIN_SHIN ? CHAIN_MEM : CHAIN_BROKEN;
    case BET:
    case LAMED: return chain <= CHAIN_SHIN ? CHAIN_CLOSED : CHAIN_BROKEN;
    case HE: return chain < CHAIN_CLOSED ? CHAIN_CLOSED : CHAIN_BROKEN;
    default: return CHAIN_BROKEN;
    }
}

size_t word_starts(const struct word *word, size_t starts[WORD_STARTS_MAX])
{
    const char *at = word->text, *end = at + word->len;
    enum chain chain = CHAIN_START;
    size_t count = 0;

    starts[count++] = 0;
    while (count < WORD_STARTS_MAX && at < end) {
        chain = chain_next(chain, utf8_next(&at, end));
        if (chain == CHAIN_BROKEN || end - at < 4) {
            break;
        }
        starts[count++] = (size_t)(at - word->text);
    }
    return count;
}

static bool is_consonant(char c)
{
    return c >= 'a' && c <= 'z' && strchr("aeiou", c) == NULL;
}

/* What `word` adds to the first `len` bytes of `base`; NULL if it begins otherwise. */
static const char *ending_after(const struct word *word, const struct word *base, size_t len)
{
    bool same = word->len >= len && memcmp(word->text, base->text, len) == 0;

    return same ? word->text + len : NULL;
}

static bool is_ending(const char *ending, const char *const *endings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(ending, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* deals, boxes, emailed, emailing; winning; closing; replies. */
static bool is_english_form(const struct word *word, const struct word *base)
{
    static const char *const plain[] = {"s", "es", "ed", "ing", "ings", "d"};
    static const char *const verbal[] = {"ing", "ings", "ed"};
    static const char *const after_y[] = {"ies", "ied"};

    if (base->len < 3) {
        return false;
    }
    char last = base->text[base->len - 1];
    const char *ending = ending_after(word, base, base->len);
    if (ending != NULL) {
        size_t endings = last == 'e' ? 6 : 5; /* a bare d only behind e */
        return is_ending(ending, plain, endings) ||
               (is_consonant(last) && *ending == last && is_ending(ending + 1, verbal, 3));
    }
    ending = ending_after(word, base, base->len - 1);
    return ending != NULL && ((last == 'e' && is_ending(ending, verbal, 2)) ||
                              (last == 'y' && is_ending(ending, after_y, 2)));
}

bool word_is_form_of(const struct word *word, const struct word *base)
{
    if (word->len == base->len && memcmp(word->text, base->text, base->len) == 0) {
        return true;
    }
    if (!word_is_hebrew(base)) {
        return is_english_form(word, base);
    }
    size_t starts[WORD_STARTS_MAX];
    size_t count = word_is_hebrew(word) ? word_starts(word, starts) : 0;
    for (size_t i = 1; i < count; i++) {
        if (word->len - starts[i] == base->len &&
            memcmp(word->text + starts[i], base->text, base->len) == 0) {
            return true;
        }
    }
    return false;
}
