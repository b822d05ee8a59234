#include "chat/charge.h"

#include "chat/prices.h"

static const struct db_statement settle_statement = {
    "charge_settle",
    "WITH l AS ("
    "  INSERT INTO usage_ledger (org_id, conversation_id, job_id, epoch, attempt, kind, provider,"
    "    model_id, tokens_input, tokens_output, tokens_cache_read, tokens_cache_write,"
    "    cost_micro, estimated, own_key)"
    "  VALUES ($1::uuid, $2::uuid, $3, $4::int, 0, $5, $6, $7, $8::int, $9::int, $10::int,"
    "          $11::int, $12::bigint, $13::boolean, $15::boolean)"
    "  ON CONFLICT (job_id, epoch, attempt) DO NOTHING RETURNING *"
    "), u AS ("
    "  INSERT INTO api_usage AS u (org_id, date, model_id, tokens_input, tokens_output,"
    "                              cost_estimate, own_cost, unpriced_calls)"
    "  SELECT org_id, (now() AT TIME ZONE 'UTC')::date, model_id,"
    "         tokens_input + tokens_cache_read + tokens_cache_write, tokens_output,"
    "         coalesce(cost_micro, 0), CASE WHEN own_key THEN coalesce(cost_micro, 0) ELSE 0 END,"
    "         ($14::boolean AND cost_micro IS NULL)::int FROM l"
    "  ON CONFLICT (org_id, date, model_id) DO UPDATE SET"
    "    tokens_input = u.tokens_input + EXCLUDED.tokens_input,"
    "    tokens_output = u.tokens_output + EXCLUDED.tokens_output,"
    "    cost_estimate = u.cost_estimate + EXCLUDED.cost_estimate,"
    "    own_cost = u.own_cost + EXCLUDED.own_cost,"
    "    unpriced_calls = u.unpriced_calls + EXCLUDED.unpriced_calls"
    ") DELETE FROM budget_reservations WHERE org_id = $1::uuid AND job_id = $3",
    15};
static const struct db_statement drop_statement = {
    "charge_drop", "DELETE FROM budget_reservations WHERE org_id = $1::uuid AND job_id = $2", 2};

static const char *count(char out[DB_NUMBER_SIZE], int64_t tokens)
{
    return db_number(out, tokens < 0 ? 0 : tokens > INT32_MAX ? INT32_MAX : tokens);
}

static const char *flag(bool value)
{
    return value ? "t" : "f";
}

enum db_status charge_settle(struct db *db, const struct charge *charge,
                             struct answer_attempt *attempt)
{
    char n[6][DB_NUMBER_SIZE];
    enum db_status status = prices_charge(db, attempt);
    if (status != DB_OK)
        return status;
    const struct llm_usage *usage = &attempt->usage;
    const char *params[] = {
        charge->org,
        charge->conversation_id,
        charge->id,
        db_number(n[0], charge->epoch),
        charge->kind,
        attempt->provider,
        attempt->model,
        count(n[1], usage->input),
        count(n[2], usage->output),
        count(n[3], usage->cache_read),
        count(n[4], usage->cache_write),
        attempt->cost_micro >= 0 ? db_number(n[5], attempt->cost_micro) : NULL,
        flag(attempt->estimated),
        flag(price_is_due(attempt->provider)),
        flag(attempt->own_key),
    };
    return db_query(db, charge->org, &settle_statement, params, NULL);
}

enum db_status charge_drop(struct db *db, const struct charge *charge)
{
    const char *params[] = {charge->org, charge->id};
    return db_query(db, charge->org, &drop_statement, params, NULL);
}
