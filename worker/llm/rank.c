#include "llm/rank.h"

#include "llm/kin.h"

#include <math.h>
#include <string.h>

#define TERMS_MAX 24
#define WORDS_MAX 160 /* of one sentence that are looked at */
#define BYTES_MAX 700 /* of all picks; the first is taken whatever its length */
#define ENOUGH    0.5 /* of the best score */

/* What a term counts: itself in the sentence, a word of its kin there, and the title
 * above it, by how much of the title the question covers. */
#define KIN_SHARE     0.7
#define TITLE_SHARE   0.8
#define FIGURE_FACTOR 1.5  /* a time or a price, where the question asks for one */
#define DEPTH_DECAY   0.02 /* a sentence further down the snippet */
#define RANK_DECAY    0.01 /* a snippet further down the context: retrieval put it there */

struct term {
    struct stems stems;
    struct kin kin;
    double weight;
};

struct question {
    struct term terms[TERMS_MAX];
    size_t count;
    const struct figure *figure; /* what it wants one of, or NULL */
};

/* Which terms were found, as bits. */
struct match {
    uint32_t own;
    uint32_t kin;
    uint32_t title;
    double title_covered; /* share of the title's words */
    double score;
};

/* What a question wants a figure of, by a word in it, and how such a figure looks. */
static const struct figure {
    const char *asked[8];
    const char *units[12];
} figures[] = {
    {{"long", "when", "hours", "time", "until", "זמן", "מתי", "שעות"},
     {"day", "hour", "minute", "week", "month", ":00", ":30", "ימים", "ימי ", "שעות", "דקות",
      "שבוע"}},
    {{"much", "cost", "costs", "price", "prices", "עולה", "עולים", "מחיר"},
     {"$", "€", "₪", "£", "%", "shekel", "dollar", "euro", "free", "שקל", "ש\"ח", "חינם"}},
};

static const struct figure *figure_asked(const struct word *word)
{
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        for (size_t k = 0; k < sizeof(figures[i].asked) / sizeof(figures[i].asked[0]); k++) {
            if (strcmp(word->text, figures[i].asked[k]) == 0) {
                return &figures[i];
            }
        }
    }
    return NULL;
}

static bool has_figure(const char *text, const struct figure *figure)
{
    if (figure == NULL || strpbrk(text, "0123456789") == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof(figure->units) / sizeof(figure->units[0]); i++) {
        if (strstr(text, figure->units[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void read_question(struct arena *a, const char *text, struct question *question)
{
    struct word words[2 * TERMS_MAX];
    size_t count = words_of(a, text, strlen(text), words, 2 * TERMS_MAX);
    question->count = 0;
    question->figure = NULL;
    for (size_t i = 0; i < count && question->count < TERMS_MAX; i++) {
        if (question->figure == NULL) {
            question->figure = figure_asked(&words[i]);
        }
        if (!word_is_stop(&words[i])) {
            struct term *term = &question->terms[question->count++];
            stems_of(&term->stems, &words[i]);
            kin_of(a, &term->stems, &term->kin);
        }
    }
}

static bool is_kin(const struct term *term, const struct stems *stems)
{
    for (size_t i = 0; i < term->kin.count; i++) {
        if (stems_meet(&term->kin.list[i], stems)) {
            return true;
        }
    }
    return false;
}

/* Sets the bits of the terms in a text. */
static void find_in(struct arena *a, const struct question *question, const char *text,
                    uint32_t *own, uint32_t *kin)
{
    struct word words[WORDS_MAX];
    size_t count = words_of(a, text, strlen(text), words, WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct stems stems;
        stems_of(&stems, &words[i]);
        for (size_t k = 0; k < question->count; k++) {
            bool same = stems_meet(&stems, &question->terms[k].stems);
            *own |= (uint32_t)same << k;
            *kin |= (uint32_t)(!same && is_kin(&question->terms[k], &stems)) << k;
        }
    }
}

/* The same, and the share of the title's words that were among them. */
static double find_in_title(struct arena *a, const struct question *question, const char *title,
                            uint32_t *found)
{
    struct word words[WORDS_MAX];
    size_t count = words_of(a, title, strlen(title), words, WORDS_MAX);
    size_t hits = 0, worth = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = 0;
        find_in(a, question, words[i].text, &bits, &bits);
        *found |= bits;
        hits += bits != 0;
        worth += bits != 0 || !word_is_stop(&words[i]);
    }
    return worth > 0 ? (double)hits / (double)worth : 0;
}

static void match_titles(struct arena *a, const struct question *question,
                         const struct passage *passage, struct match *match)
{
    double label = find_in_title(a, question, passage->label, &match->title);
    double heading = find_in_title(a, question, passage->heading, &match->title);
    match->title_covered = label > heading ? label : heading;
}

static void match_all(struct arena *a, const struct question *question,
                      const struct passage *passages, size_t count, struct match *matches)
{
    for (size_t i = 0; i < count; i++) {
        bool same_titles = i > 0 && passages[i - 1].label == passages[i].label &&
                           passages[i - 1].heading == passages[i].heading;
        find_in(a, question, passages[i].text, &matches[i].own, &matches[i].kin);
        if (same_titles) {
            matches[i].title = matches[i - 1].title;
            matches[i].title_covered = matches[i - 1].title_covered;
        } else {
            match_titles(a, question, &passages[i], &matches[i]);
        }
    }
}

/* A word that stands everywhere says little about where the answer is. */
static void weigh_terms(struct question *question, const struct match *matches, size_t count)
{
    for (size_t k = 0; k < question->count; k++) {
        size_t having = 0;
        for (size_t i = 0; i < count; i++) {
            having += ((matches[i].own | matches[i].title) >> k) & 1;
        }
        question->terms[k].weight = log(1.0 + (double)(count + 1) / (double)(having + 1));
    }
}

static double score_of(const struct question *question, const struct match *match,
                       const struct passage *passage)
{
    double score = 0;
    for (size_t k = 0; k < question->count; k++) {
        double share = (match->own >> k) & 1 ? 1 : (match->kin >> k) & 1 ? KIN_SHARE : 0;
        share += (match->title >> k) & 1 ? TITLE_SHARE * match->title_covered : 0;
        score += share * question->terms[k].weight;
    }
    if (has_figure(passage->text, question->figure)) {
        score *= FIGURE_FACTOR;
    }
    int depth = passage->position < 10 ? passage->position : 10;
    int rank = passage->snippet < 20 ? passage->snippet : 20;
    return score * (1.0 - DEPTH_DECAY * depth) * (1.0 - RANK_DECAY * rank);
}

static size_t best_of(const struct match *matches, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        best = matches[i].score > matches[best].score ? i : best;
    }
    return best;
}

static bool is_repeated(const struct ranking *ranking, const char *text)
{
    for (size_t i = 0; i < ranking->count; i++) {
        if (strcmp(ranking->picks[i].text, text) == 0) {
            return true;
        }
    }
    return false;
}

static void insert(struct ranking *ranking, const struct passage *passage)
{
    size_t at = ranking->count++;
    for (; at > 0; at--) {
        const struct passage *before = &ranking->picks[at - 1];
        if (before->snippet < passage->snippet ||
            (before->snippet == passage->snippet && before->position < passage->position)) {
            break;
        }
        ranking->picks[at] = *before;
    }
    ranking->picks[at] = *passage;
}

/* The best, and others that come near it. */
static void pick(struct ranking *ranking, const struct passage *passages, struct match *matches,
                 size_t count)
{
    size_t bytes = 0;
    double least = 0;
    while (count > 0 && ranking->count < PICKS_MAX) {
        size_t best = best_of(matches, count);
        double score = matches[best].score;
        if (score <= 0 || score < least) {
            return;
        }
        least = ranking->count == 0 ? ENOUGH * score : least;
        matches[best].score = 0;
        size_t size = strlen(passages[best].text);
        bool fits = ranking->count == 0 || bytes + size <= BYTES_MAX;
        if (fits && !is_repeated(ranking, passages[best].text)) {
            insert(ranking, &passages[best]);
            bytes += size;
        }
    }
}

void rank_passages(struct arena *a, const char *question_text, const char *context,
                   struct ranking *ranking)
{
    struct question *question = arena_zalloc(a, sizeof(*question));
    *ranking = (struct ranking){0};
    read_question(a, question_text, question);
    ranking->asks = question->count > 0;
    if (!ranking->asks) {
        return;
    }
    struct passage *passages = arena_alloc(a, PASSAGES_MAX * sizeof(*passages));
    struct match *matches = arena_zalloc(a, PASSAGES_MAX * sizeof(*matches));
    size_t count = passages_of(a, context, passages);
    match_all(a, question, passages, count, matches);
    weigh_terms(question, matches, count);
    for (size_t i = 0; i < count; i++) {
        matches[i].score = score_of(question, &matches[i], &passages[i]);
    }
    pick(ranking, passages, matches, count);
}
