/* GET usage, usage/invoice, alerts; GET and PUT budget: money, as the owner sees it. */
#include "tenant/usage.h"
#include "admin/admin.h"
#include "admin/field.h"
#include "tenant/alert.h"
#include "tenant/plan.h"

#include <sodium.h>
#include <string.h>

/* -- what was used ------------------------------------------------------------------------- */

typedef enum db_status read_usage_fn(struct db *db, struct arena *a, const char *org,
                                     const char *month, struct usage *usage);

/* ?format=: false: the reply says what would be right. */
static bool wants_csv(const struct admin_request *request, struct admin_reply *reply, bool *csv)
{
    const char *format = admin_query(request, "format");

    *csv = format != NULL && strcmp(format, "csv") == 0;
    bool known = format == NULL || *csv || strcmp(format, "json") == 0;
    if (!known)
        admin_problem(reply, request, FD_PROBLEM_FIELD, "format", "csv or json would be right");
    return known;
}

static void send_usage(const struct admin_request *request, struct admin_reply *reply,
                       read_usage_fn *read, const char *what)
{
    const char *month = admin_query(request, "month");
    struct usage usage;
    bool csv;

    if (!wants_csv(request, reply, &csv))
        return;
    if (month != NULL && !usage_month_valid(month)) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "month",
                      "a month such as 2026-11 would be right");
        return;
    }
    enum db_status status = read(request->db, request->arena, request->org, month, &usage);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    if (!csv) {
        usage_json(&usage, &reply->body);
        return;
    }
    usage_csv(&usage, &reply->body);
    reply->content_type = "text/csv; charset=utf-8";
    reply->filename = arena_printf(request->arena, "%s-%s.csv", what, usage.month);
}

static void report(const struct admin_request *request, struct admin_reply *reply)
{
    send_usage(request, reply, usage_report, "usage");
}

static void invoice(const struct admin_request *request, struct admin_reply *reply)
{
    send_usage(request, reply, usage_invoice, "invoice");
}

static void alerts(const struct admin_request *request, struct admin_reply *reply)
{
    enum db_status status = alert_list(request->db, request->org, &reply->body);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
}

/* -- what may be used ----------------------------------------------------------------------- */

static void send_budget(const struct admin_request *request, struct admin_reply *reply)
{
    struct budget_view view;

    enum db_status status = budget_show(request->db, request->org, &view);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    budget_view_json(&view, &reply->body);
    budget_view_free(&view);
}

/* As the operation takes it: a number's digits, a text, "none" for null; NULL: it stays. */
static const char *given(const struct admin_request *request, const char *name)
{
    const struct fd_json *member = fd_json_get(request->body, name);

    return member == NULL ? NULL : member->type == FD_JSON_NULL ? "none" : member->text;
}

/* The secret that was made for a new webhook: the only time that it is told. */
static void send_secret(struct admin_reply *reply, struct budget_change *change)
{
    struct fd_json_writer w;

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "alert_webhook_url", change->webhook_url);
    fd_jw_member(&w, "alert_webhook_secret", change->made_secret);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    sodium_memzero(change->made_secret, sizeof(change->made_secret));
}

static void set_budget(const struct admin_request *request, struct admin_reply *reply)
{
    struct budget_change change = {.vault_keys = request->config->vault_keys,
                                   .monthly = given(request, "monthly_budget_usd"),
                                   .session = given(request, "session_cap_usd"),
                                   .user = given(request, "user_cap_usd"),
                                   .webhook_url = given(request, "alert_webhook_url"),
                                   .webhook_secret = given(request, "alert_webhook_secret")};

    enum db_status status = budget_set(request->db, request->org, &change);
    if (status != DB_OK) {
        field_refuse(request, reply, status);
        return;
    }
    admin_settings_changed(request);
    if (change.made_secret[0] != '\0')
        send_secret(reply, &change);
    else
        send_budget(request, reply);
}

/* -- the routes ----------------------------------------------------------------------------- */

#define USAGE                                                                                      \
    "{org_id: uuid, organization: text, month: text, currency: USD, open: bool, lines: [object],"  \
    " total: object}"
#define USAGE_QUERY "{month?: text, format?: csv|json}"
#define BUDGET                                                                                     \
    "{plan: text, budget_usd: number|null, monthly_budget_usd: number|null,"                       \
    " plan_budget_usd: number|null, session_cap_usd: number|null, user_cap_usd: number|null,"      \
    " spent_usd: number, held_usd: number, used_percent: number|null, messages: int,"              \
    " messages_per_month: int, at_limit: refuse|throttle, alert_webhook_url: text|null}"

static const struct admin_field budget_fields[] = {
    {"monthly_budget_usd", ADMIN_NUMBER | ADMIN_TEXT | ADMIN_NULL},
    {"session_cap_usd", ADMIN_NUMBER | ADMIN_TEXT | ADMIN_NULL},
    {"user_cap_usd", ADMIN_NUMBER | ADMIN_TEXT | ADMIN_NULL},
    {"alert_webhook_url", ADMIN_TEXT | ADMIN_NULL, .format = "uri"},
    {"alert_webhook_secret", ADMIN_TEXT | ADMIN_NULL},
};
static const char *const computed[] = {"budget_usd",   "spent_usd", "held_usd",
                                       "used_percent", "messages",  NULL};

static const struct admin_route routes[] = {
    {"GET", "usage", ADMIN_STAFF, 0, report, .summary = "What was used, by day and model",
     .query = USAGE_QUERY, .answer = USAGE},
    {"GET", "usage/invoice", ADMIN_ADMIN, 0, invoice, .summary = "What is charged, by model",
     .query = USAGE_QUERY, .answer = USAGE},
    {"GET", "alerts", ADMIN_STAFF, 0, alerts, .summary = "The last alerts and their delivery",
     .answer = "{alerts: [object]}"},
    {"GET", "budget", ADMIN_STAFF, 0, send_budget, .summary = "What may be spent, and what was",
     .answer = BUDGET, .computed = computed},
    {"PUT", "budget", ADMIN_ADMIN, 0, set_budget,
     .summary = "Changes what is sent; null takes a cap away", .body = ADMIN_BODY(budget_fields),
     .answer = BUDGET "|{alert_webhook_url: text, alert_webhook_secret: text}"},
};

const struct admin_resource admin_usage = {routes, sizeof(routes) / sizeof(routes[0])};
