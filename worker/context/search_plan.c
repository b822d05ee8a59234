#include "context/search_plan.h"

#include "context/spelling.h"
#include "core/buf.h"

#include <stdlib.h>

#define TITLES_MAX      250 /* rows to be read, by the vocabulary's counts */
#define RARE_MAX        400
#define COMMON_ENOUGH   150 /* expected rows that have all of some words */
#define QUERY_BYTES_MAX 65536

void search_plan_word(struct planned_term *term, const char *typed,
                      const struct vocabulary_word *word, bool alike)
{
    int slips = alike ? spelling_slips(typed, word->word) : 0;

    if (slips < 0 || (alike && word->sections <= 0 && word->products <= 0)) {
        return;
    }
    if (term->count > 0 && slips != term->slips) {
        if (slips > term->slips) {
            return;
        }
        term->count = 0;
    }
    term->slips = slips;
    if (term->count < TERM_WORDS_MAX) {
        term->words[term->count++] = *word;
    }
}

/* -- queries ---------------------------------------------------------------------------- */

static void put_word(struct buf *query, const char *word)
{
    buf_puts(query, "'");
    for (; *word != '\0'; word++) {
        if (*word == '\'' || *word == '\\') {
            buf_append(query, word, 1);
        }
        buf_append(query, word, 1);
    }
    buf_puts(query, "'");
}

static const char *query_text(struct arena *a, struct buf *query)
{
    const char *text =
        query->len > 0 && !query->over ? arena_strndup(a, query->data, query->len) : NULL;

    buf_free(query);
    return text;
}

static void put_term(struct buf *query, const struct planned_term *term)
{
    for (size_t i = 0; i < term->count; i++) {
        buf_puts(query, i > 0 ? "|" : "");
        put_word(query, term->words[i].word);
    }
}

static const char *any_word(struct arena *a, const struct planned_term *terms, size_t count)
{
    struct buf query;

    buf_init(&query, QUERY_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_puts(&query, query.len > 0 && terms[i].count > 0 ? "|" : "");
        put_term(&query, &terms[i]);
    }
    return query_text(a, &query);
}

/* -- what leads ---------------------------------------------------------------------------- */

typedef int count_fn(const struct vocabulary_word *word);

static int in_sections(const struct vocabulary_word *word)
{
    return word->sections;
}

static int in_titles(const struct vocabulary_word *word)
{
    return word->titles;
}

static int in_products(const struct vocabulary_word *word)
{
    return word->products;
}

/* A word of one term and how often it is there. */
struct lead {
    const char *word;
    int rows;
    size_t order; /* in the question */
};

static int by_rows(const void *left, const void *right)
{
    const struct lead *a = left, *b = right;

    if (a->rows != b->rows) {
        return a->rows < b->rows ? -1 : 1;
    }
    return (a->order > b->order) - (a->order < b->order);
}

/* Every word that is there, the rare first. */
static size_t leads_of(const struct planned_term *terms, size_t count, count_fn *rows,
                       struct lead leads[TERMS_MAX * TERM_WORDS_MAX])
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < terms[i].count; k++) {
            int n = rows(&terms[i].words[k]);
            if (n > 0) {
                leads[found] = (struct lead){terms[i].words[k].word, n, found};
                found++;
            }
        }
    }
    qsort(leads, found, sizeof(*leads), by_rows);
    return found;
}

/* What has one of the rarest words, together no more than `most` rows; *taken of the leads. */
static const char *rare_words(struct arena *a, const struct lead *leads, size_t count, int most,
                              size_t *taken)
{
    struct buf query;
    int rows = 0;

    buf_init(&query, QUERY_BYTES_MAX);
    for (*taken = 0; *taken < count && leads[*taken].rows <= most - rows; ++*taken) {
        rows += leads[*taken].rows;
        buf_puts(&query, query.len > 0 ? "|" : "");
        put_word(&query, leads[*taken].word);
    }
    return query_text(a, &query);
}

/* The most frequent of a term's words: of a stem and its forms, the stem. */
static struct lead main_word(const struct planned_term *term, count_fn *rows, size_t order)
{
    struct lead best = {NULL, 0, order};

    for (size_t k = 0; k < term->count; k++) {
        int n = rows(&term->words[k]);
        if (n > best.rows) {
            best = (struct lead){term->words[k].word, n, order};
        }
    }
    return best;
}

/* What has several of the frequent words: the rarest of them, as many as leave about enough
 * rows if they are spread evenly. */
static const char *common_words(struct arena *a, const struct planned_term *terms, size_t count,
                                count_fn *rows, int least_rows, int total)
{
    struct lead leads[TERMS_MAX];
    size_t found = 0;
    struct buf query;
    double expected = total;

    for (size_t i = 0; i < count; i++) {
        struct lead lead = main_word(&terms[i], rows, i);
        if (lead.rows >= least_rows) {
            leads[found++] = lead;
        }
    }
    qsort(leads, found, sizeof(*leads), by_rows);
    buf_init(&query, QUERY_BYTES_MAX);
    for (size_t i = 0; i < found && total > 0; i++) {
        double left = expected * leads[i].rows / total;
        if (i > 0 && left < COMMON_ENOUGH) {
            break;
        }
        expected = left;
        buf_puts(&query, query.len > 0 ? "&" : "");
        put_word(&query, leads[i].word);
    }
    return query_text(a, &query);
}

/* Both queries of one kind of record. */
static void choose(struct arena *a, const struct planned_term *terms, size_t count, count_fn *rows,
                   int total, const char **rare, const char **common)
{
    struct lead leads[TERMS_MAX * TERM_WORDS_MAX];
    size_t found = leads_of(terms, count, rows, leads), taken;

    *rare = rare_words(a, leads, found, RARE_MAX, &taken);
    *common = taken < found ? common_words(a, terms, count, rows, leads[taken].rows, total) : NULL;
}

static const char *choose_titles(struct arena *a, const struct planned_term *terms, size_t count)
{
    struct lead leads[TERMS_MAX * TERM_WORDS_MAX];
    size_t found = leads_of(terms, count, in_titles, leads), taken;
    const char *rare = rare_words(a, leads, found, TITLES_MAX, &taken);

    /* Of frequent ones the rarest, as far as is read. */
    return rare != NULL || found == 0 ? rare : rare_words(a, leads, 1, leads[0].rows, &taken);
}

void search_plan_make(struct arena *a, const struct planned_term *terms, size_t count, int sections,
                      int products, struct search_plan *plan)
{
    *plan = (struct search_plan){.titles = choose_titles(a, terms, count),
                                 .all = any_word(a, terms, count)};
    choose(a, terms, count, in_sections, sections, &plan->rare, &plan->common);
    choose(a, terms, count, in_products, products, &plan->products, &plan->products_common);
    for (size_t i = 0; i < count; i++) {
        plan->terms[i] = any_word(a, &terms[i], 1);
    }
}
