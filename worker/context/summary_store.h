/*
 * Summary_store: summaries in PostgreSQL, beside their conversation. A step is claimed before
 * it is made and written only under that claim, so that two workers never both write. A claim
 * that nobody ends, ends by itself; until then nobody tries again. On a pool thread.
 */
#ifndef FD_CONTEXT_SUMMARY_STORE_H
#define FD_CONTEXT_SUMMARY_STORE_H

#include "context/summary.h"
#include "db/db.h"

#define SUMMARY_CLAIM_MS 120000

/* Of a session; text "" where there is none. */
enum db_status summary_find(struct db *db, struct arena *a, const char *org, const char *session,
                            struct summary *summary);

/* The next step of a conversation's summary; in the arena. */
struct summary_step {
    const char *before; /* the text so far */
    int version;
    struct llm_message *messages; /* to be told of, oldest first */
    size_t count;
    const char *through_us; /* of the last of them: microseconds, id */
    const char *through_id;
};

/* *due false: there is too little to tell, or another is at it. */
enum db_status summary_claim(struct db *db, struct arena *a, const char *org,
                             const char *conversation, const char *worker,
                             struct summary_step *step, bool *due);
/* *messages: how many it tells of then; -1: the claim was lost, nothing is written. May be
 * repeated. */
enum db_status summary_write(struct db *db, const char *org, const char *conversation,
                             const char *worker, const struct summary_step *step, const char *text,
                             const char *model, int *messages);

#endif
