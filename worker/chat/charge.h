/*
 * Charge: a call of a model that is no job's - a summary, embeddings - within the same
 * budgets and in the same books as answers (ENG-16): budget_reserve() before it, under an
 * id of its own, then charge_settle() or charge_drop(). On a pool thread.
 */
#ifndef FD_CHAT_CHARGE_H
#define FD_CHAT_CHARGE_H

#include "chat/answer.h"
#include "chat/budget.h"
#include "db/db.h"

struct charge {
    const char *org;
    const char *id;              /* of the reservation and the ledger's row; new each attempt */
    int epoch;                   /* another row of the ledger under the same id */
    const char *kind;            /* "summary", "embedding" */
    const char *conversation_id; /* NULL = none */
};

/* The attempt's cost and the reservation's end in one statement; once for an id and epoch,
 * however often it is called: a second attempt under them would be free. */
enum db_status charge_settle(struct db *db, const struct charge *charge,
                             struct answer_attempt *attempt);
/* No call was made, or none that costs. */
enum db_status charge_drop(struct db *db, const struct charge *charge);

#endif
