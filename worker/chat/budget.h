/*
 * Budget: what may be spent before it is spent (ENG-16). PostgreSQL is the arbiter: a
 * call of a model under a cap first reserves the most that it can cost; the statement
 * that ends the job (store.c) puts the real cost in the reservation's place. Straight-line,
 * for a pool thread; may be repeated.
 */
#ifndef FD_CHAT_BUDGET_H
#define FD_CHAT_BUDGET_H

#include "chat/answer.h"
#include "db/db.h"
#include "llm/endpoint.h"
#include "tenant/tenant.h"

/* A reservation outlives its job's deadline by so much: the last save is not instant. */
#define BUDGET_MARGIN_MS 60000

#define BUDGET_NO_ROOM "The month's budget has no room for this answer."

enum budget_verdict {
    BUDGET_GRANTED,
    BUDGET_ORG,     /* the organisation's month has no room for it */
    BUDGET_SESSION, /* the conversation has not */
    BUDGET_USER,    /* the visitor has not */
    BUDGET_NO_PRICE,
    BUDGET_LATER /* a later epoch owns the job: stop */
};
const char *budget_verdict_name(enum budget_verdict verdict); /* "org", "session", ... */

/* Copies, as the job may go on while it is asked. Strings live as long as the job. */
struct budget_ask {
    const char *org;
    const char *job;
    int epoch;
    const char *owner;
    const char *session;
    const char *conversation_id;
    const char *user; /* what the site calls its visitor; NULL = not said */
    int64_t life_ms;  /* until the job's deadline */

    const char *provider; /* of the call that is to come */
    const char *model;
    int64_t prompt_tokens; /* estimated */
    int64_t likely_tokens; /* as the model's provider will count them; 0 = not known */
    int max_tokens;
    struct answer_attempt before[ANSWER_ATTEMPTS_MAX]; /* calls of this job already made */
    size_t before_count;
    bool trial; /* nothing is held, nobody alerted: what would be said */
};

struct budget_word {
    enum budget_verdict verdict;
    int64_t amount_micro; /* reserved, or asked for in vain: this job's calls and the next */
    int64_t spent_micro;  /* of the organisation's month; -1 = not asked */
    int64_t held_micro;   /* by its other jobs */
    int used_percent;     /* of the month's budget; -1 = there is none, or not asked */
};

enum db_status budget_reserve(struct db *db, struct budget_ask *ask, struct budget_word *word);

/* A call of this endpoint's models needs its leave. */
bool budget_asks(const struct tenant *tenant, const struct llm_endpoint *endpoint);
/* Without a job: why the call would be refused; NULL: it would be granted. */
enum db_status budget_try(struct db *db, struct arena *a, const struct tenant *tenant,
                          const struct llm_endpoint *endpoint, struct budget_ask *ask,
                          const char **refused);
/* What a visitor is told of a verdict that is no grant: no figures. */
const char *budget_refusal(struct arena *a, const struct budget_ask *ask,
                           const struct budget_word *word);

/* Tokens that are reserved for a prompt: an estimate may be too low. */
int64_t budget_prompt_tokens(int64_t estimated);

#endif
