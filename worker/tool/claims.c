#define _GNU_SOURCE /* memmem */
#include "tool/claims.h"

#include "core/utf8.h"
#include "tool/claims_clause.h"

#include <string.h>

#define TEXT_MAX    65536
#define CLAUSES_MAX 12 /* of a sentence; more are part of the last */
#define QUOTE_MAX   400

struct span {
    const char *from, *to;
};

struct sentence {
    struct span clauses[CLAUSES_MAX];
    size_t count;
    uint32_t end; /* what ended it: '.', '!', '?', '\n' */
    bool cited;
};

struct scan {
    const char *at, *end;
    bool begun; /* a clause with words was seen */
};

bool clause_word_is(const struct clause *c, size_t at, struct word_list list)
{
    for (size_t i = 0; at < c->count && i < list.count; i++) {
        if (strcmp(c->words[at].text, list.words[i]) == 0)
            return true;
    }
    return false;
}

bool clause_has(const struct clause *c, size_t from, size_t to, struct word_list list)
{
    for (size_t i = from; i < to && i < c->count; i++) {
        if (clause_word_is(c, i, list))
            return true;
    }
    return false;
}

/* -- cutting ---------------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           ((unsigned char)c & 0x80) != 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *behind(const char *at, const char *end, const char *close)
{
    size_t room = (size_t)(end - at) < QUOTE_MAX ? (size_t)(end - at) : QUOTE_MAX;
    const char *found = room > 0 ? memmem(at, room, close, strlen(close)) : NULL;

    return found != NULL ? found + strlen(close) : NULL;
}

/* Behind what begins here and is not said by the answer itself; NULL: nothing does. */
static const char *skip_quoted(const char *text, const char *at, const char *end)
{
    static const char *const marks[][2] = {{"```", "```"},
                                           {"`", "`"},
                                           {"\u201c", "\u201d"},
                                           {"\u00ab", "\u00bb"},
                                           {"\u201e", "\u201d"}};

    if (*at == '"' && (at == text || !is_letter(at[-1])) && end - at > 1 && !is_blank(at[1]))
        return behind(at + 1, end, "\"");
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t len = strlen(marks[i][0]);
        if ((size_t)(end - at) > len && memcmp(at, marks[i][0], len) == 0)
            return behind(at + len, end, marks[i][1]);
    }
    return NULL;
}

/* "[order:1001]": behind it; NULL: it is none. */
static const char *skip_source(const char *at, const char *end)
{
    const char *close = *at == '[' ? memchr(at, ']', (size_t)(end - at)) : NULL;

    if (close == NULL || close - at > 100 || (close + 1 < end && close[1] == '('))
        return NULL;
    return memchr(at, ':', (size_t)(close - at)) != NULL ? close + 1 : NULL;
}

/* "Dr. Levi", "No. 5" */
static bool is_abbreviation(const char *text, const char *at)
{
    static const char *const names[] = {"Dr", "Mr", "Mrs", "Ms", "Prof", "St", "No", "a.m", "p.m"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);
        if ((size_t)(at - text) >= len && memcmp(at - len, names[i], len) == 0 &&
            ((size_t)(at - text) == len || !is_letter(at[-1 - (ptrdiff_t)len])))
            return true;
    }
    return false;
}

static bool ends_sentence(const char *text, const char *at, const char *end)
{
    if (*at == '!' || *at == '?' || *at == '\n')
        return true;
    return *at == '.' && !is_abbreviation(text, at) &&
           (at + 1 == end || is_blank(at[1]) || at[1] == '*' || at[1] == ')');
}

/* The bytes of what ends a clause; 0: nothing does here. */
static size_t ends_clause(const char *at, const char *end)
{
    if ((*at == ',' || *at == ';' || *at == ':') && (at + 1 == end || is_blank(at[1])))
        return 1;
    if (*at == '(' || *at == ')' || *at == '|')
        return 1;
    if ((size_t)(end - at) >= 3 && (memcmp(at, "\u2013", 3) == 0 || memcmp(at, "\u2014", 3) == 0))
        return 3;
    return (size_t)(end - at) >= 3 && memcmp(at, " - ", 3) == 0 ? 3 : 0;
}

static void add_clause(struct sentence *s, const char *from, const char *to)
{
    if (from >= to)
        return;
    if (s->count == CLAUSES_MAX)
        s->clauses[s->count - 1].to = to;
    else
        s->clauses[s->count++] = (struct span){from, to};
}

/* A source that follows a sentence is that sentence's. */
static void take_source_behind(struct scan *scan, struct sentence *s)
{
    const char *at = scan->at;

    while (at < scan->end && (*at == ' ' || *at == '\t'))
        at++;
    if (at < scan->end && skip_source(at, scan->end) != NULL)
        s->cited = true;
}

static bool next_sentence(struct scan *scan, const char *text, struct sentence *s)
{
    const char *from = scan->at;
    size_t len;

    *s = (struct sentence){.end = '\n'};
    while (scan->at < scan->end) {
        const char *at = scan->at, *skipped = skip_source(at, scan->end);
        s->cited = s->cited || skipped != NULL;
        if (skipped == NULL)
            skipped = skip_quoted(text, at, scan->end);
        if (skipped != NULL) {
            add_clause(s, from, at);
            from = scan->at = skipped;
        } else if (ends_sentence(text, at, scan->end)) {
            s->end = (unsigned char)*at;
            add_clause(s, from, at);
            scan->at = at + 1;
            take_source_behind(scan, s);
            return true;
        } else if ((len = ends_clause(at, scan->end)) > 0) {
            add_clause(s, from, at);
            from = scan->at = at + len;
        } else {
            scan->at++;
        }
    }
    add_clause(s, from, scan->end);
    return s->count > 0;
}

/* -- judging ---------------------------------------------------------------------------------- */

static size_t read_clauses(struct scan *scan, struct arena *a, const struct sentence *s,
                           struct clause *clauses)
{
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++) {
        const struct span *span = &s->clauses[i];
        struct clause *c = &clauses[count];
        c->count =
            words_of(a, span->from, (size_t)(span->to - span->from), c->words, CLAUSE_WORDS_MAX);
        if (c->count == 0)
            continue;
        c->first = !scan->begun;
        c->exclaimed = s->end == '!' && i + 1 == s->count;
        c->hebrew = false;
        for (size_t k = 0; k < c->count; k++)
            c->hebrew = c->hebrew || word_is_hebrew(&c->words[k]);
        scan->begun = true;
        count++;
    }
    return count;
}

/* "I've booked it, is that right?" asks in its last clause only; "have you seen, ...?" from
 * its first. */
static bool is_asked(const struct sentence *s, const struct clause *clauses, size_t at,
                     size_t count)
{
    if (s->end != '?')
        return false;
    for (size_t i = 0; i <= at; i++) {
        if (english_asks(&clauses[i]) || hebrew_asks(&clauses[i]))
            return true;
    }
    return at + 1 == count;
}

static bool is_hedged(const struct clause *clauses, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (english_hedges(&clauses[i]) || hebrew_hedges(&clauses[i]))
            return true;
    }
    return false;
}

static enum tool_claim judge_clause(const struct sentence *s, const struct clause *clauses,
                                    size_t at, size_t count, unsigned done)
{
    enum tool_claim claim = english_claim(&clauses[at], done);

    if (claim != TOOL_CLAIM_OWN && clauses[at].hebrew) {
        enum tool_claim hebrew = hebrew_claim(&clauses[at], done);
        claim = hebrew > claim ? hebrew : claim;
    }
    if (claim == TOOL_CLAIM_STATED && (s->cited || is_hedged(clauses, at)))
        return TOOL_CLAIM_NONE;
    return claim != TOOL_CLAIM_NONE && is_asked(s, clauses, at, count) ? TOOL_CLAIM_NONE : claim;
}

static enum tool_claim judge(struct scan *scan, const struct sentence *s, unsigned done,
                             bool *draft)
{
    enum tool_claim strongest = TOOL_CLAIM_NONE;
    struct clause clauses[CLAUSES_MAX];
    struct arena a;

    arena_init(&a);
    size_t count = read_clauses(scan, &a, s, clauses);
    for (size_t i = 0; i < count && !*draft; i++) {
        *draft = english_drafts(&clauses[i]) || hebrew_drafts(&clauses[i]);
        enum tool_claim claim = *draft ? TOOL_CLAIM_NONE : judge_clause(s, clauses, i, count, done);
        strongest = claim > strongest ? claim : strongest;
    }
    arena_free(&a);
    return strongest;
}

enum tool_claim tool_claim_of(const char *text, size_t len, unsigned done)
{
    struct scan scan = {text, text + utf8_floor(text, len, TEXT_MAX), false};
    enum tool_claim strongest = TOOL_CLAIM_NONE;
    struct sentence s;
    bool draft = false;

    while (strongest != TOOL_CLAIM_OWN && !draft && next_sentence(&scan, text, &s)) {
        enum tool_claim claim = judge(&scan, &s, done, &draft);
        strongest = claim > strongest ? claim : strongest;
    }
    return strongest;
}
