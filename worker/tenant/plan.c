#include "tenant/plan.h"

#include "protocol/limits.h"
#include "tenant/money.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct db_statement list = {
    "plan_list",
    "SELECT plan_type, requests_per_minute, concurrent_chats, messages_per_month,"
    "       (monthly_budget_usd * 1000000)::bigint, at_limit = 'throttle'"
    "  FROM plans ORDER BY requests_per_minute, plan_type LIMIT $1::int",
    1};
static const struct db_statement change_plan = {
    "plan_change",
    "UPDATE plans SET requests_per_minute = coalesce($2::int, requests_per_minute),"
    "       concurrent_chats = coalesce($3::int, concurrent_chats),"
    "       messages_per_month = coalesce($4::int, messages_per_month),"
    "       monthly_budget_usd = CASE WHEN $5::text = 'none' THEN NULL"
    "         ELSE coalesce(nullif($5::text, 'none')::numeric, monthly_budget_usd) END,"
    "       at_limit = coalesce($6::text, at_limit)"
    " WHERE plan_type = $1::text RETURNING plan_type",
    6};
static const struct db_statement assign = {
    "plan_assign",
    "UPDATE organizations SET plan_type = $2::text, generation = generation + 1"
    " WHERE id = $1::uuid AND EXISTS (SELECT FROM plans WHERE plan_type = $2::text)"
    " RETURNING id",
    2};

enum db_status plan_list(struct db *db, struct plan plans[PLANS_MAX], size_t *count)
{
    char most[DB_NUMBER_SIZE];
    const char *params[] = {db_number(most, PLANS_MAX)};
    PGresult *rows;

    *count = 0;
    enum db_status status = db_query(db, NULL, &list, params, &rows);
    if (status != DB_OK) {
        return status;
    }
    *count = (size_t)PQntuples(rows);
    for (int row = 0; row < (int)*count; row++) {
        struct plan *plan = &plans[row];
        snprintf(plan->name, sizeof(plan->name), "%s", db_text(rows, row, 0));
        plan->requests_per_minute = (int)db_int(rows, row, 1, 0);
        plan->concurrent_chats = (int)db_int(rows, row, 2, 0);
        plan->messages_per_month = (int)db_int(rows, row, 3, 0);
        plan->monthly_micro = db_int(rows, row, 4, -1);
        plan->throttles = db_true(rows, row, 5);
    }
    PQclear(rows);
    return DB_OK;
}

/* -- what may be set ---------------------------------------------------------------------- */

static bool number_ok(struct db *db, const char *name, const char *text, long least, long most)
{
    char *end;

    if (text == NULL) {
        return true;
    }
    long value = strtol(text, &end, 10);
    bool ok = text[0] >= '0' && text[0] <= '9' && *end == '\0' && value >= least && value <= most;
    if (!ok) {
        db_explain(db, "%s is \"%.40s\"; a whole number from %ld to %ld would be right", name, text,
                   least, most);
    }
    return ok;
}

/* Whole cents where `cents`. */
static bool amount_ok(struct db *db, const char *name, const char *text, bool cents)
{
    int64_t micro;

    if (text == NULL || strcmp(text, "none") == 0) {
        return true;
    }
    bool ok = money_read(text, &micro) && (!cents || micro % 10000 == 0) &&
              (cents || micro < INT64_C(1000000) * 1000000);
    if (!ok) {
        db_explain(db, "%s: dollars such as 25 or %s would be right, or none", name,
                   cents ? "12.50" : "0.005");
    }
    return ok;
}

static bool word_ok(struct db *db, const char *name, const char *text)
{
    bool ok = text == NULL || strcmp(text, "refuse") == 0 || strcmp(text, "throttle") == 0;
    if (!ok) {
        db_explain(db, "%s is \"%.40s\"; refuse or throttle would be right", name, text);
    }
    return ok;
}

/* One row came back, or what is missing is told. */
static enum db_status expect_row(struct db *db, enum db_status status, PGresult *result,
                                 const char *what, const char *name)
{
    if (status != DB_OK) {
        return status;
    }
    bool found = PQntuples(result) == 1;
    PQclear(result);
    if (!found) {
        db_explain(db, "there is no %s %.60s", what, name);
    }
    return found ? DB_OK : DB_FAILED;
}

enum db_status plan_change(struct db *db, const char *plan, const struct plan_change *change)
{
    const char *params[] = {plan,
                            change->requests_per_minute,
                            change->concurrent_chats,
                            change->messages_per_month,
                            change->monthly_budget,
                            change->at_limit};
    PGresult *result = NULL;

    if (!number_ok(db, "requests_per_minute", change->requests_per_minute, 1, 1000000) ||
        !number_ok(db, "concurrent_chats", change->concurrent_chats, 1, 100000) ||
        !number_ok(db, "messages_per_month", change->messages_per_month, 0, 1000000000) ||
        !amount_ok(db, "monthly_budget_usd", change->monthly_budget, true) ||
        !word_ok(db, "at_limit", change->at_limit)) {
        return DB_FAILED;
    }
    enum db_status status = db_query(db, NULL, &change_plan, params, &result);
    return expect_row(db, status, result, "plan", plan);
}

enum db_status plan_assign(struct db *db, const char *org, const char *plan)
{
    const char *params[] = {org, plan};
    PGresult *result = NULL;
    enum db_status status = db_query(db, org, &assign, params, &result);
    return expect_row(db, status, result, "plan", plan);
}

/* -- the caps of one organisation ------------------------------------------------------- */

static const struct db_statement show = {
    "budget_show",
    "SELECT o.plan_type, coalesce(o.limits->>'at_limit', p.at_limit) = 'throttle',"
    "       b.monthly_micro, (s.monthly_budget_usd * 1000000)::bigint,"
    "       (coalesce((o.limits->>'monthly_budget_usd')::numeric, p.monthly_budget_usd)"
    "         * 1000000)::bigint,"
    "       b.session_micro, b.user_micro, b.spent_micro,"
    "       (SELECT coalesce(sum(amount_micro), 0) FROM budget_reservations"
    "         WHERE org_id = $1::uuid AND expires_at > now()),"
    "       budget_percent(b.spent_micro, b.monthly_micro),"
    "       (SELECT count(*) FROM jobs WHERE org_id = $1::uuid"
    "           AND accepted_at >= usage_month()::timestamp AT TIME ZONE 'UTC'),"
    "       coalesce((o.limits->>'messages_per_month')::int, p.messages_per_month),"
    "       s.alert_webhook_url"
    "  FROM organizations o JOIN plans p USING (plan_type)"
    "  LEFT JOIN org_ai_settings s ON s.org_id = o.id, org_budget(o.id) b"
    " WHERE o.id = $1::uuid",
    1};

enum db_status budget_show(struct db *db, const char *org, struct budget_view *view)
{
    PGresult *row;

    memset(view, 0, sizeof(*view));
    enum db_status status = db_query(db, org, &show, &org, &row);
    if (status != DB_OK) {
        return status;
    }
    if (PQntuples(row) != 1) {
        PQclear(row);
        db_explain(db, "there is no such organisation");
        return DB_FAILED;
    }
    snprintf(view->plan, sizeof(view->plan), "%s", db_text(row, 0, 0));
    view->throttles = db_true(row, 0, 1);
    view->monthly_micro = db_int(row, 0, 2, -1);
    view->own_micro = db_int(row, 0, 3, -1);
    view->allowed_micro = db_int(row, 0, 4, -1);
    view->session_micro = db_int(row, 0, 5, -1);
    view->user_micro = db_int(row, 0, 6, -1);
    view->spent_micro = db_int(row, 0, 7, 0);
    view->held_micro = db_int(row, 0, 8, 0);
    view->percent = (int)db_int(row, 0, 9, -1);
    view->messages = db_int(row, 0, 10, 0);
    view->quota = db_int(row, 0, 11, 0);
    const char *url = db_text(row, 0, 12);
    view->webhook_url = url != NULL ? strdup(url) : NULL;
    PQclear(row);
    return DB_OK;
}

void budget_view_free(struct budget_view *view)
{
    free(view->webhook_url);
    view->webhook_url = NULL;
}

static void amount(struct fd_json_writer *w, const char *key, int64_t micro)
{
    fd_jw_key(w, key);
    if (micro < 0) {
        fd_jw_null(w);
    } else {
        fd_jw_double(w, (double)micro / 1e6);
    }
}

bool budget_view_json(const struct budget_view *view, struct buf *out)
{
    struct fd_json_writer w;

    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "plan", view->plan);
    amount(&w, "budget_usd", view->monthly_micro);
    amount(&w, "monthly_budget_usd", view->own_micro);
    amount(&w, "plan_budget_usd", view->allowed_micro);
    amount(&w, "session_cap_usd", view->session_micro);
    amount(&w, "user_cap_usd", view->user_micro);
    amount(&w, "spent_usd", view->spent_micro);
    amount(&w, "held_usd", view->held_micro);
    fd_jw_key(&w, "used_percent");
    if (view->percent < 0) {
        fd_jw_null(&w);
    } else {
        fd_jw_int(&w, view->percent);
    }
    fd_jw_member_int(&w, "messages", view->messages);
    fd_jw_member_int(&w, "messages_per_month", view->quota);
    fd_jw_member(&w, "at_limit", view->throttles ? "throttle" : "refuse");
    fd_jw_member(&w, "alert_webhook_url", view->webhook_url);
    fd_jw_end_object(&w);
    return buf_json_end(out, &w);
}

/* A parameter: 'none' is NULL; NULL leaves what is there. */
#define SET(column, n, type)                                                                       \
    column " = CASE WHEN $" #n "::text IS NULL THEN s." column " ELSE nullif($" #n                 \
           "::text, 'none')::" type " END"

/* Deliveries wait for nobody once there is no webhook. */
static const struct db_statement set_settings = {
    "budget_set",
    "WITH made AS ("
    "  INSERT INTO org_ai_settings AS s (org_id, monthly_budget_usd, session_cap_usd, user_cap_usd,"
    "                                    alert_webhook_url, alert_webhook_secret)"
    "  SELECT id, nullif($2::text, 'none')::numeric, nullif($3::text, 'none')::numeric,"
    "         nullif($4::text, 'none')::numeric, nullif($5::text, 'none'),"
    "         nullif($6::text, 'none')::bytea"
    "    FROM organizations WHERE id = $1::uuid"
    "  ON CONFLICT (org_id) DO UPDATE SET " SET("monthly_budget_usd", 2, "numeric") ", " SET(
        "session_cap_usd", 3,
        "numeric") ", " SET("user_cap_usd", 4,
                            "numeric") ", " SET("alert_webhook_url", 5,
                                                "text") ", " SET("alert_webhook_secret", 6,
                                                                 "bytea") ","
                                                                          "    updated_at = now()"
                                                                          "  RETURNING org_id"
                                                                          "), quiet AS ("
                                                                          "  UPDATE alerts SET "
                                                                          "delivery = 'none'"
                                                                          "   WHERE org_id = "
                                                                          "$1::uuid AND delivery = "
                                                                          "'pending' AND $5::text "
                                                                          "= 'none'"
                                                                          ") SELECT org_id FROM "
                                                                          "made",
    6};
static const struct db_statement set_allowed = {
    "budget_set_allowed",
    "UPDATE organizations SET limits = CASE WHEN $2::text = 'plan' THEN limits - "
    "'monthly_budget_usd'"
    "       ELSE limits || jsonb_build_object('monthly_budget_usd', $2::text) END"
    " WHERE id = $1::uuid RETURNING id",
    2};

static bool url_ok(struct db *db, const char *url)
{
    bool ok = (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) &&
              strlen(url) <= FD_URL_MAX && strpbrk(url, " \t\r\n") == NULL;
    if (!ok) {
        db_explain(db, "alert_webhook_url: must be an http or https URL of at most %d bytes",
                   FD_URL_MAX);
    }
    return ok;
}

/* What goes into the secret's column: NULL = it stays. */
static bool seal_secret(struct db *db, const char *org, struct budget_change *change,
                        char sealed[ALERT_SEALED_SIZE], const char **param)
{
    const char *url = change->webhook_url, *secret = change->webhook_secret;
    char error[256];

    *param = NULL;
    if (url != NULL && strcmp(url, "none") == 0) {
        *param = "none";
        return true;
    }
    if (url != NULL && !url_ok(db, url)) {
        return false;
    }
    if (secret == NULL && url == NULL) {
        return true;
    }
    if (secret == NULL) {
        alert_secret_make(change->made_secret);
        secret = change->made_secret;
    }
    if (!alert_secret_seal(change->vault_keys, org, secret, sealed, error)) {
        db_explain(db, "alert_webhook_secret: %s", error);
        return false;
    }
    *param = sealed;
    return true;
}

static bool allowed_ok(struct db *db, const char *text)
{
    if (text != NULL && strcmp(text, "none") == 0) {
        db_explain(db, "the plan's budget can be replaced by an amount, or by plan; put the "
                       "organisation on another plan to take it away");
        return false;
    }
    return text == NULL || strcmp(text, "plan") == 0 ||
           amount_ok(db, "the allowed budget", text, true);
}

enum db_status budget_set(struct db *db, const char *org, struct budget_change *change)
{
    char sealed[ALERT_SEALED_SIZE];
    const char *params[] = {org,          change->monthly,     change->session,
                            change->user, change->webhook_url, NULL};
    const char *allowed[] = {org, change->allowed};
    PGresult *result = NULL;

    if (!amount_ok(db, "monthly_budget_usd", change->monthly, true) ||
        !amount_ok(db, "session_cap_usd", change->session, false) ||
        !amount_ok(db, "user_cap_usd", change->user, false) || !allowed_ok(db, change->allowed) ||
        !seal_secret(db, org, change, sealed, &params[5])) {
        return DB_FAILED;
    }
    enum db_status status = db_query(db, org, &set_settings, params, &result);
    status = expect_row(db, status, result, "organisation", org);
    if (status == DB_OK && change->allowed != NULL) {
        status = db_query(db, org, &set_allowed, allowed, &result);
        status = expect_row(db, status, result, "organisation", org);
    }
    return status;
}
