#include "context/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TERM_BITS          64
#define OWN_LANGUAGE_BONUS 0.1
#define COMMON_WEIGHT      0.4
#define TITLE_SHARE        0.5

static bool has(uint64_t terms, size_t term)
{
    return (terms >> term & 1) != 0;
}

/* 1 for a term of one candidate, COMMON_WEIGHT at the least, 0 if none has it. What
 * a question is about is common in a small knowledge base: rarity must not decide alone. */
static void weigh_terms(const struct candidate *candidates, size_t count, double weights[TERM_BITS])
{
    for (size_t term = 0; term < TERM_BITS; term++) {
        size_t having = 0;
        for (size_t i = 0; i < count; i++) {
            having += has(candidates[i].terms, term);
        }
        double rarity =
            having > 0 ? log1p((double)count / (double)having) / log1p((double)count) : 0;
        weights[term] = having > 0 ? COMMON_WEIGHT + (1 - COMMON_WEIGHT) * rarity : 0;
    }
}

static double score_of(const struct candidate *candidate, const double weights[TERM_BITS],
                       double total)
{
    double covered = candidate->similarity;

    for (size_t term = 0; term < TERM_BITS; term++) {
        covered += has(candidate->terms, term) ? weights[term] : 0;
        covered += has(candidate->title_terms, term) ? TITLE_SHARE * weights[term] : 0;
    }
    double score = (total > 0 ? covered / total : 0) + candidate->text_rank;
    return score > 0 && candidate->own_language ? score + OWN_LANGUAGE_BONUS : score;
}

static int by_falling_score(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->snippet.score != b->snippet.score) {
        return a->snippet.score < b->snippet.score ? 1 : -1;
    }
    return strcmp(a->snippet.id, b->snippet.id);
}

size_t score_candidates(struct candidate *candidates, size_t count)
{
    double weights[TERM_BITS], total = 0, closest = 0;
    size_t kept = 0;

    weigh_terms(candidates, count, weights);
    for (size_t term = 0; term < TERM_BITS; term++) {
        total += weights[term];
    }
    for (size_t i = 0; i < count; i++) {
        closest = fmax(closest, candidates[i].similarity);
    }
    for (size_t i = 0; i < count; i++) {
        candidates[i].snippet.score = score_of(&candidates[i], weights, total + closest);
    }
    if (count > 0) {
        qsort(candidates, count, sizeof(*candidates), by_falling_score);
    }
    while (kept < count && kept < SNIPPETS_MAX && candidates[kept].snippet.score > 0 &&
           candidates[kept].snippet.score >= SCORE_KEEP_SHARE * candidates[0].snippet.score) {
        kept++;
    }
    return kept;
}
