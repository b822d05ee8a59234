/*
 * Figures (ADM-6): what the days of a period add up to (outcome_daily of 0023), beside the same of
 * the period before. Behind every figure is a filter of conversations.
 */
#ifndef FD_TENANT_FIGURES_H
#define FD_TENANT_FIGURES_H

#include "db/db.h"
#include "tenant/period.h"

#include <stdint.h>

#define FIGURES_STEPS_MAX 700 /* of figure_step(): 1.05 to this power is beyond 10^14 */

/* Sums of what conversations are counted as; the last are made of others. */
enum figure_sum {
    SUM_CONVERSATIONS,
    SUM_MESSAGES,
    SUM_SAID,
    SUM_BY_AI,
    SUM_BY_PEOPLE,
    SUM_UNANSWERED,
    SUM_RATED,
    SUM_STARS,
    SUM_RATED_AI,
    SUM_STARS_AI,
    SUM_RATED_HUMAN,
    SUM_STARS_HUMAN,
    SUM_UP,
    SUM_DOWN,
    SUM_RESOLVED,
    SUM_UNRESOLVED,
    SUM_UNDECIDED,
    SUM_NEGATIVE,
    SUM_NEUTRAL,
    SUM_POSITIVE,
    SUM_FIRST_TOKEN,
    SUM_RESPONSE,
    SUM_RESOLUTION,
    SUM_NAMED, /* so many have a name in outcome_daily */
    SUM_DECIDED = SUM_NAMED,
    SUM_SCORED, /* sentiment */
    SUM_NET,    /* sentiment, in percent of these */
    FIGURE_SUMS
};

/* How many conversations took how many steps. */
enum figure_steps {
    STEPS_FIRST_TOKEN,
    STEPS_RESPONSE,
    STEPS_RESOLUTION,
    STEPS_LENGTH,
    FIGURE_STEPS
};

struct figure_sums {
    int64_t sums[FIGURE_SUMS];
    int64_t steps[FIGURE_STEPS][FIGURES_STEPS_MAX];
};

struct figures {
    struct period periods[2]; /* the second is the one before */
    struct figure_sums of[2];
};

enum db_status figures_load(struct db *db, const char *org, const struct period *period,
                            struct figures *figures);

/* The middle of the step that so many of a hundred are in or below; -1: there are none. */
int64_t figures_percentile(const int64_t steps[FIGURES_STEPS_MAX], int percent);

/* The member "figures": [{name, value, previous, conversations, filter}] */
void figures_write(struct fd_json_writer *w, const struct figures *figures);

/* What changed most, of figures that are made of enough conversations. */
struct figure_change {
    const char *name; /* NULL: nothing did */
    double value;
    double previous;
    double percent;
    const char *const (*filter)[2]; /* FIGURE_FILTERS of them */
};
#define FIGURE_FILTERS 2
struct figure_change figures_change(const struct figures *figures);

#endif
