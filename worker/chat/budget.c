#include "chat/budget.h"

#include "chat/prices.h"

#include <stdio.h>
#include <string.h>

/* Sums of these stay numbers, whatever a price list says. */
#define AMOUNT_MAX (INT64_C(1000000) * 1000000000)

/* The function of 0008_budgets.sql holds the lock that makes it one step. */
static const struct db_statement reserve_statement = {
    "budget_reserve",
    "SELECT verdict, used_percent, spent, held FROM budget_reserve($1::text, $2::int, $3::text,"
    "  $4::text, $5::uuid, $6::text, $7::bigint, $8::bigint)",
    8};
/* The same question, of which nothing stays. */
static const struct db_statement trial_statement = {
    "budget_trial",
    "WITH b AS (SELECT o.*, (SELECT coalesce(sum(amount_micro), 0)::bigint"
    "                          FROM budget_reservations"
    "                         WHERE org_id = $1::uuid AND expires_at > now()) AS held"
    "             FROM org_budget($1::uuid) o),"
    " own AS (SELECT (SELECT coalesce(sum(cost_micro), 0)::bigint FROM usage_ledger"
    "                  WHERE org_id = $1::uuid AND conversation_id = $3::uuid)"
    "             + (SELECT coalesce(sum(amount_micro), 0)::bigint FROM budget_reservations"
    "                 WHERE org_id = $1::uuid AND session_id = $2::text AND expires_at > now())"
    "               AS used)"
    "SELECT CASE WHEN b.spent_micro + b.held + $4::bigint > b.monthly_micro THEN 'budget'"
    "            WHEN own.used + $4::bigint > b.session_micro THEN 'session'"
    "            WHEN $5::text IS NOT NULL AND b.user_micro < $4::bigint + ("
    "                 SELECT coalesce(sum(cost_micro), 0)::bigint FROM usage_ledger"
    "                  WHERE org_id = $1::uuid AND user_ref = $5::text"
    "                    AND created_at >= usage_month()::timestamp AT TIME ZONE 'UTC') + ("
    "                 SELECT coalesce(sum(amount_micro), 0)::bigint FROM budget_reservations"
    "                  WHERE org_id = $1::uuid AND user_ref = $5::text AND expires_at > now())"
    "            THEN 'user' ELSE 'granted' END,"
    "       budget_percent(b.spent_micro, b.monthly_micro), b.spent_micro, b.held"
    "  FROM b, own",
    5};
static const struct db_statement alert_statement = {
    "budget_alert_price",
    "SELECT raise_alert($1::uuid, 'price_unknown', $2::text, '{\"refused\": true}')", 2};

static const char *const names[] = {
    [BUDGET_GRANTED] = "granted", [BUDGET_ORG] = "budget",     [BUDGET_SESSION] = "session",
    [BUDGET_USER] = "user",       [BUDGET_NO_PRICE] = "price", [BUDGET_LATER] = "later",
};

const char *budget_verdict_name(enum budget_verdict verdict)
{
    return names[verdict];
}

int64_t budget_prompt_tokens(int64_t estimated)
{
    return estimated + estimated / 4 + 64; /* and the protocol's own words around it */
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The most that the job will have cost after its next call; -1: nobody knows. */
static enum db_status worst_case(struct db *db, struct budget_ask *ask, int64_t *amount)
{
    struct price price;
    bool known;
    enum db_status status = prices_find(db, ask->model, &price, &known);
    if (status != DB_OK)
        return status;
    int64_t tokens = ask->likely_tokens > 0 ? ask->likely_tokens : ask->prompt_tokens;
    *amount = known ? price_worst(&price, budget_prompt_tokens(tokens), ask->max_tokens)
              : price_is_due(ask->provider) ? -1
                                            : 0;
    for (size_t i = 0; i < ask->before_count && *amount >= 0; i++) {
        status = prices_charge(db, &ask->before[i]);
        if (status != DB_OK)
            return status;
        if (ask->before[i].cost_micro > 0)
            *amount = least(*amount, AMOUNT_MAX) + least(ask->before[i].cost_micro, AMOUNT_MAX);
    }
    *amount = least(*amount, AMOUNT_MAX);
    return DB_OK;
}

static bool read_verdict(const char *word, enum budget_verdict *verdict)
{
    for (size_t i = 0; word != NULL && i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(names[i], word) == 0) {
            *verdict = (enum budget_verdict)i;
            return true;
        }
    }
    return false;
}

static enum db_status take_word(PGresult *result, struct budget_word *word)
{
    bool read = read_verdict(db_text(result, 0, 0), &word->verdict);
    word->used_percent = (int)db_int(result, 0, 1, -1);
    word->spent_micro = db_int(result, 0, 2, -1);
    word->held_micro = db_int(result, 0, 3, -1);
    PQclear(result);
    return read ? DB_OK : DB_FAILED;
}

static enum db_status try_out(struct db *db, const struct budget_ask *ask, struct budget_word *word)
{
    char amount[DB_NUMBER_SIZE];
    const char *params[] = {ask->org, ask->session, ask->conversation_id,
                            db_number(amount, word->amount_micro), ask->user};
    PGresult *result;
    enum db_status status = db_query(db, ask->org, &trial_statement, params, &result);
    return status == DB_OK ? take_word(result, word) : status;
}

static enum db_status reserve(struct db *db, const struct budget_ask *ask, struct budget_word *word)
{
    char n[3][DB_NUMBER_SIZE];
    const char *params[] = {
        ask->job,
        db_number(n[0], ask->epoch),
        ask->owner,
        ask->session,
        ask->conversation_id,
        ask->user,
        db_number(n[1], word->amount_micro),
        db_number(n[2], (ask->life_ms > 0 ? ask->life_ms : 0) + BUDGET_MARGIN_MS),
    };
    PGresult *result;
    enum db_status status = db_query_unhurried(db, ask->org, &reserve_statement, params, &result);
    return status == DB_OK ? take_word(result, word) : status;
}

enum db_status budget_reserve(struct db *db, struct budget_ask *ask, struct budget_word *word)
{
    *word = (struct budget_word){BUDGET_GRANTED, 0, -1, -1, -1};
    enum db_status status = worst_case(db, ask, &word->amount_micro);
    if (status != DB_OK)
        return status;
    if (word->amount_micro < 0) {
        const char *params[] = {ask->org, ask->model};
        word->verdict = BUDGET_NO_PRICE;
        return ask->trial ? DB_OK
                          : db_query_unhurried(db, ask->org, &alert_statement, params, NULL);
    }
    /* What costs nothing needs nobody's leave, even of a budget that is used up. */
    if (word->amount_micro == 0)
        return DB_OK;
    return ask->trial ? try_out(db, ask, word) : reserve(db, ask, word);
}

const char *budget_refusal(struct arena *a, const struct budget_ask *ask,
                           const struct budget_word *word)
{
    switch (word->verdict) {
    case BUDGET_SESSION: return "This conversation has used what it may spend on AI answers.";
    case BUDGET_USER: return "You have used what you may spend on AI answers this month.";
    case BUDGET_NO_PRICE:
        return arena_printf(a,
                            "The price of %s is not known, and without one it cannot be used "
                            "within a budget.",
                            ask->model);
    default: break;
    }
    bool only_held = word->spent_micro >= 0 && word->held_micro > 0 && word->used_percent < 100;
    return only_held ? "What is left of this month's budget is held for answers that are being "
                       "written; it may be free again soon."
                     : BUDGET_NO_ROOM;
}

bool budget_asks(const struct tenant *tenant, const struct llm_endpoint *endpoint)
{
    return tenant->capped && endpoint->protocol != NULL;
}

enum db_status budget_try(struct db *db, struct arena *a, const struct tenant *tenant,
                          const struct llm_endpoint *endpoint, struct budget_ask *ask,
                          const char **refused)
{
    struct budget_word word;
    *refused = NULL;
    if (!budget_asks(tenant, endpoint))
        return DB_OK;
    ask->provider = endpoint->name;
    ask->trial = true;
    enum db_status status = budget_reserve(db, ask, &word);
    if (status == DB_OK && word.verdict != BUDGET_GRANTED)
        *refused = budget_refusal(a, ask, &word);
    return status;
}
