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
    if (status != DB_OK)
        return status;
    bool read = read_verdict(db_text(result, 0, 0), &word->verdict);
    word->used_percent = (int)db_int(result, 0, 1, -1);
    word->spent_micro = db_int(result, 0, 2, -1);
    word->held_micro = db_int(result, 0, 3, -1);
    PQclear(result);
    return read ? DB_OK : DB_FAILED;
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
        return db_query_unhurried(db, ask->org, &alert_statement, params, NULL);
    }
    /* What costs nothing needs nobody's leave, even of a budget that is used up. */
    return word->amount_micro > 0 ? reserve(db, ask, word) : DB_OK;
}
