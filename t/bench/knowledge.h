/*
 * Made-up knowledge, the same every time: words are drawn as a language's are (Zipf: the
 * n-th is as frequent as 1/n), so that the first hundred are in most sections and half of all
 * words in a few. The frequent ones are a shop's own, the rest is made of syllables; a fifth
 * of the sections is Hebrew, letters at random behind its usual prefixes.
 */
#ifndef T_BENCH_KNOWLEDGE_H
#define T_BENCH_KNOWLEDGE_H

#include <libpq-fe.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENGLISH_WORDS    40000
#define HEBREW_WORDS     15000
#define ARTICLE_SECTIONS 12

static uint64_t knowledge_state = 88172645463325252u;

static uint64_t draw(void) /* xorshift64 */
{
    knowledge_state ^= knowledge_state << 13;
    knowledge_state ^= knowledge_state >> 7;
    knowledge_state ^= knowledge_state << 17;
    return knowledge_state;
}

static double draw_unit(void)
{
    return (double)(draw() >> 11) / 9007199254740992.0;
}

static void english_word(size_t n, char out[64])
{
    static const char *const frequent[] = {
        "the",      "and",      "of",       "to",      "a",       "in",       "is",
        "you",      "your",     "for",      "we",      "it",      "order",    "with",
        "our",      "delivery", "on",       "are",     "or",      "this",     "can",
        "be",       "shipping", "will",     "product", "from",    "price",    "return",
        "not",      "days",     "size",     "colour",  "payment", "if",       "within",
        "free",     "that",     "customer", "have",    "after",   "when",     "account",
        "card",     "refund",   "item",     "stock",   "store",   "please",   "contact",
        "which",    "more",     "warranty", "email",   "gift",    "address",  "box",
        "discount", "code",     "exchange", "service", "time",    "material", "cotton",
        "water",    "care",     "made",     "use",     "new",     "standard", "express",
        "courier",  "parcel"};
    static const char *const starts[] = {"b",  "br", "c",  "cl", "d",  "f", "fl", "g",
                                         "gr", "h",  "k",  "l",  "m",  "n", "p",  "pr",
                                         "r",  "s",  "st", "t",  "tr", "v", "w",  "z"};
    static const char *const ends[] = {"an", "el",  "ib",  "or", "um", "as", "eck", "in",
                                       "ot", "ust", "ard", "en", "il", "om", "urt", "ay"};
    static const char *const tails[] = {"", "", "s", "ing", "ed", "er", "ly", "ness"};
    const size_t count = sizeof(frequent) / sizeof(frequent[0]);

    if (n < count) {
        snprintf(out, 64, "%s", frequent[n]);
        return;
    }
    size_t k = n * 2654435761u % 9437184; /* three syllables; each word another */
    size_t at = 0;
    for (int i = 0; i < 3; i++, k /= 24 * 16)
        at += (size_t)snprintf(out + at, 64 - at, "%s%s", starts[k % 24], ends[k / 24 % 16]);
    snprintf(out + at, 64 - at, "%s", tails[n % 8]);
}

static void hebrew_word(size_t n, char out[64])
{
    static const char *const frequent[] = {
        "של",   "את",    "על",    "עם",     "משלוח", "הזמנה", "מוצר", "מחיר",  "ימים", "חנות",
        "שעות", "תשלום", "כרטיס", "אחריות", "מידה",  "צבע",   "לקוח", "שירות", "חינם", "מתנה"};
    static const char *const prefixes[] = {"", "", "ה", "ב", "ל", "ו", "מ", "ש"};
    static const char letters[][3] = {"א", "ב", "ג", "ד", "ה", "ו", "ז", "ח", "ט", "י", "כ",
                                      "ל", "מ", "נ", "ס", "ע", "פ", "צ", "ק", "ר", "ש", "ת"};
    const size_t count = sizeof(frequent) / sizeof(frequent[0]);
    size_t at = (size_t)snprintf(out, 64, "%s", prefixes[draw() % 8]);

    if (n < count) {
        snprintf(out + at, 64 - at, "%s", frequent[n]);
        return;
    }
    size_t k = n * 2654435761u % 5153632;
    for (int i = 0; i < 5; i++, k /= 22)
        at += (size_t)snprintf(out + at, 64 - at, "%s", letters[k % 22]);
}

static size_t draw_rank(size_t most)
{
    size_t rank = (size_t)exp(draw_unit() * log((double)most + 1)) - 1;

    return rank < most ? rank : most - 1;
}

static size_t prose(bool hebrew, size_t words, char *out, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < words; i++) {
        char word[64];
        if (hebrew)
            hebrew_word(draw_rank(HEBREW_WORDS), word);
        else
            english_word(draw_rank(ENGLISH_WORDS), word);
        const char *between = i + 1 == words ? "" : i % 11 == 10 ? ". " : " ";
        at += (size_t)snprintf(out + at, size - at, "%s%s", word, between);
    }
    return at;
}

static void copy_rows(PGconn *conn, const char *into, const char *org, size_t from, size_t to,
                      size_t (*row)(const char *org, size_t n, char *out, size_t size))
{
    static char line[65536];
    PGresult *result = PQexec(conn, into);

    if (PQresultStatus(result) != PGRES_COPY_IN) {
        fprintf(stderr, "%s", PQerrorMessage(conn));
        exit(1);
    }
    PQclear(result);
    for (size_t n = from; n < to; n++)
        PQputCopyData(conn, line, (int)row(org, n, line, sizeof(line)));
    PQputCopyEnd(conn, NULL);
    while ((result = PQgetResult(conn)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            fprintf(stderr, "%s", PQerrorMessage(conn));
            exit(1);
        }
        PQclear(result);
    }
}

static bool is_hebrew(size_t article)
{
    return article % 5 == 4;
}

static size_t article_row(const char *org, size_t n, char *out, size_t size)
{
    return (size_t)snprintf(out, size, "%.24s%012zu\t%s\ta-%zu\tArticle %zu\t\t%s\t2026-%02zu-01\n",
                            org, n, org, n, n, is_hebrew(n) ? "he" : "en", 1 + n % 10);
}

static size_t section_row(const char *org, size_t n, char *out, size_t size)
{
    size_t article = n / ARTICLE_SECTIONS, position = n % ARTICLE_SECTIONS;
    bool hebrew = is_hebrew(article);
    size_t at = (size_t)snprintf(out, size, "%s\t%.24s%012zu\ta-%zu.%zu\t%zu\t", org, org, article,
                                 article, position + 1, position);
    at += prose(hebrew, 3, out + at, size - at);
    at += (size_t)snprintf(out + at, size - at, "\t");
    at += prose(hebrew, 60 + n * 7 % 90, out + at, size - at);
    return at + (size_t)snprintf(out + at, size - at, "\t%s\t2026-%02zu-01\n", hebrew ? "he" : "en",
                                 1 + article % 10);
}

/* The organisation is there already; a thousand sections a statement, as imports are small. */
static inline void knowledge_fill(PGconn *conn, const char *org, size_t sections)
{
    copy_rows(conn,
              "COPY articles (id, org_id, slug, title, body, language, updated_at) FROM STDIN", org,
              0, (sections + ARTICLE_SECTIONS - 1) / ARTICLE_SECTIONS, article_row);
    for (size_t from = 0; from < sections; from += 1000)
        copy_rows(
            conn,
            "COPY article_sections (org_id, article_id, slug, position, label, body, language,"
            " updated_at) FROM STDIN",
            org, from, from + 1000 < sections ? from + 1000 : sections, section_row);
}

#endif
