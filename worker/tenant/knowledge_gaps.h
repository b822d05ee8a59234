/*
 * Knowledge gaps (ADM-6): what visitors asked that the sources have nothing on, the same question
 * in other words counted with it. A question may be like two that are not like each other: then it
 * is counted with both, as it is found behind both.
 */
#ifndef FD_TENANT_KNOWLEDGE_GAPS_H
#define FD_TENANT_KNOWLEDGE_GAPS_H

#include "core/arena.h"
#include "db/db.h"
#include "tenant/gap.h"
#include "tenant/period.h"

#define KNOWLEDGE_GAPS_MAX 50

struct knowledge_gap {
    struct gap words;
    const char *question; /* as it was asked last in these words; NULL: that was deleted */
    int64_t count;        /* times it was asked */
    int64_t conversations;
    int64_t last_us;             /* since 1970 */
    const char *conversation_id; /* of that time */
};

struct knowledge_gaps {
    struct knowledge_gap *gaps; /* the most asked first */
    size_t count;
    bool complete; /* false: of the period's latest questions only, they are so many */
};

/* At most `most`; in the arena. */
enum db_status knowledge_gaps_load(struct db *db, struct arena *a, const char *org,
                                   const struct period *period, size_t most,
                                   struct knowledge_gaps *found);
/* The one around the words that were used most, or none: what an insight needs, for less. */
enum db_status knowledge_gaps_most_asked(struct db *db, struct arena *a, const char *org,
                                         const struct period *period, struct knowledge_gaps *found);
/* The members of one: question, count, conversations, last_at, conversation_id, filter. */
void knowledge_gap_write(struct fd_json_writer *w, const struct period *period,
                         const struct knowledge_gap *gap);
/* The filter alone. */
void knowledge_gap_write_filter(struct fd_json_writer *w, const struct period *period,
                                const struct knowledge_gap *gap);

#endif
