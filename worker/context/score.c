#include "context/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OWN_LANGUAGE_BONUS 0.1
#define NEW_BONUS          0.05
#define NEW_HALF_LIFE_DAYS 180
#define TOPIC_BONUS        0.15
#define NEIGHBOUR_SHARE    0.1 /* of the neighbour's score */
#define COMMON_WEIGHT      0.4
#define MISTYPED_SHARE     0.7
#define TITLE_SHARE        0.5

/* Two rare words in one record are an answer's worth, however long the question is. */
#define GROUNDED_WEIGHT 2.0

static bool has(uint64_t terms, size_t term)
{
    return (terms >> term & 1) != 0;
}

/* 1 for a term of one record, COMMON_WEIGHT at the least. What a question is about is common in
 * a small knowledge base: rarity must not decide alone. */
static double weight_of(const struct score_terms *terms, size_t term)
{
    if (terms->having[term] <= 0) {
        return 0;
    }
    double total = fmax(terms->total, terms->having[term]);
    double rarity = log1p(total / terms->having[term]) / log1p(total);
    double weight = COMMON_WEIGHT + (1 - COMMON_WEIGHT) * rarity;
    return has(terms->mistyped, term) ? MISTYPED_SHARE * weight : weight;
}

static double covered_by(const struct candidate *candidate, const struct score_terms *terms)
{
    double covered = 0;

    for (size_t term = 0; term < terms->count; term++) {
        double weight = weight_of(terms, term);
        covered += has(candidate->terms, term) ? weight : 0;
        covered += has(candidate->title_terms, term) ? TITLE_SHARE * weight : 0;
    }
    return covered;
}

static unsigned count_bits(uint64_t bits)
{
    return (unsigned)__builtin_popcountll(bits);
}

/* What is found by words; the rest only moves what is. */
static void score_words(struct candidate *c, const struct score_terms *terms, double total)
{
    struct snippet *snippet = &c->snippet;

    snippet->score = (total > 0 ? covered_by(c, terms) / total : 0) + c->text_rank;
    if (snippet->score <= 0) {
        return;
    }
    snippet->reasons |= (c->terms & ~terms->mistyped) != 0 ? SNIPPET_WORDS : 0;
    snippet->reasons |= (c->terms & terms->mistyped) != 0 ? SNIPPET_ALIKE : 0;
    snippet->reasons |= c->title_terms != 0 ? SNIPPET_TITLE : 0;
    snippet->score += c->own_language ? OWN_LANGUAGE_BONUS : 0;
    if (c->age_days >= 0) {
        double bonus = NEW_BONUS * exp2(-c->age_days / NEW_HALF_LIFE_DAYS);
        snippet->score += bonus;
        snippet->reasons |= bonus > NEW_BONUS / 2 ? SNIPPET_NEW : 0;
    }
    if (c->near_terms != 0 && terms->near_count > 0) {
        snippet->score += TOPIC_BONUS * count_bits(c->near_terms) / (double)terms->near_count;
        snippet->reasons |= SNIPPET_NEAR;
    }
}

static bool are_neighbours(const struct candidate *a, const struct candidate *b)
{
    return a->family != NULL && b->family != NULL && abs(a->position - b->position) == 1 &&
           strcmp(a->family, b->family) == 0;
}

/* The sections before and behind one that was found often go on with it. */
static void score_neighbours(struct candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct candidate *c = &candidates[i];
        c->bonus = 0;
        for (size_t k = 0; k < count && c->snippet.score > 0; k++) {
            if (are_neighbours(c, &candidates[k])) {
                c->bonus = fmax(c->bonus, NEIGHBOUR_SHARE * candidates[k].snippet.score);
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        candidates[i].snippet.score += candidates[i].bonus;
        candidates[i].snippet.reasons |= candidates[i].bonus > 0 ? SNIPPET_NEAR : 0;
    }
}

static int by_falling_score(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->snippet.score != b->snippet.score) {
        return a->snippet.score < b->snippet.score ? 1 : -1;
    }
    return strcmp(a->snippet.id, b->snippet.id);
}

size_t score_candidates(struct candidate *candidates, size_t count, const struct score_terms *terms)
{
    double total = 0;
    size_t kept = 0;

    for (size_t term = 0; term < terms->count; term++) {
        total += weight_of(terms, term);
    }
    for (size_t i = 0; i < count; i++) {
        score_words(&candidates[i], terms, total);
    }
    score_neighbours(candidates, count);
    if (count > 0) {
        qsort(candidates, count, sizeof(*candidates), by_falling_score);
    }
    while (kept < count && candidates[kept].snippet.score > 0 &&
           candidates[kept].snippet.score >= SCORE_KEEP_SHARE * candidates[0].snippet.score) {
        kept++;
    }
    return kept;
}

double score_grounding(const struct candidate *candidates, size_t count,
                       const struct score_terms *terms)
{
    double total = 0, best = 0;

    for (size_t term = 0; term < terms->count; term++) {
        total += terms->having[term] > 0 ? weight_of(terms, term) : 1;
    }
    for (size_t i = 0; i < count; i++) {
        best = fmax(best, covered_by(&candidates[i], terms));
    }
    return total > 0 ? fmin(1, best / fmin(total, GROUNDED_WEIGHT)) : 0;
}
