/* GET onboarding: what a new organisation still has to do, told from what there is (ADM-7). */
#include "admin/resources.h"
#include "tenant/sightings.h"

#define STEPS 8

/* In the order in which they are shown. */
static const char *const steps[STEPS] = {"branding", "knowledge", "model",      "tool",
                                         "budget",   "widget",    "first_chat", "team"};

static const struct db_statement facts = {
    "admin_onboarding",
    "SELECT o.branding ?| '{primary_color,logo_url,title,name}'"
    "         OR coalesce(s.widget ?| '{greeting,suggested_questions}', false),"
    "       EXISTS (SELECT FROM article_sections WHERE org_id = $1)"
    "         OR EXISTS (SELECT FROM products WHERE org_id = $1),"
    "       coalesce(s.enabled_models <> '[]' OR s.fast_model IS NOT NULL"
    "                  OR s.reasoning_model IS NOT NULL, false)"
    "         OR EXISTS (SELECT FROM org_ai_endpoints WHERE org_id = $1 AND kind = 'chat'),"
    "       EXISTS (SELECT FROM client_tools WHERE org_id = $1 AND enabled),"
    "       s.monthly_budget_usd IS NOT NULL,"
    "       EXISTS (SELECT FROM sightings WHERE org_id = $1 AND last_seen IS NOT NULL),"
    "       EXISTS (SELECT FROM conversations WHERE org_id = $1 AND message_count > 0"
    "                  AND channel <> 'test')"
    "         OR EXISTS (SELECT FROM conversation_outcomes WHERE org_id = $1),"
    "       (SELECT count(*) > 1 FROM (SELECT FROM users WHERE org_id = $1 AND status = 'active'"
    "                                   LIMIT 2) two)"
    "  FROM organizations o LEFT JOIN org_ai_settings s ON s.org_id = o.id WHERE o.id = $1",
    1};

static void write_steps(struct admin_reply *reply, const PGresult *row)
{
    struct fd_json_writer w;
    bool all = true;

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "steps");
    fd_jw_array(&w);
    for (int i = 0; i < STEPS; i++) {
        bool done = db_true(row, 0, i);
        fd_jw_object(&w);
        fd_jw_member(&w, "name", steps[i]);
        fd_jw_member_bool(&w, "done", done);
        fd_jw_end_object(&w);
        all = all && done;
    }
    fd_jw_end_array(&w);
    fd_jw_member_bool(&w, "done", all);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *row;

    sightings_collect(request->db, request->config); /* what is not here yet, comes later */
    enum db_status status = db_query(request->db, request->org, &facts, &request->org, &row);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    if (PQntuples(row) == 1)
        write_steps(reply, row);
    else
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    PQclear(row);
}

static const struct admin_route routes[] = {
    {"GET", "onboarding", ADMIN_STAFF, 0, show,
     .summary = "What a new organisation has done and still has to do",
     .answer = "{steps: [{name: text, done: bool}], done: bool}"},
};

const struct admin_resource admin_onboarding = {routes, sizeof(routes) / sizeof(routes[0])};
