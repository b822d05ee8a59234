/* GET models: what there is and what is enabled (ENG-3, ENG-4); models/ab: the arms of a
 * split side by side. */
#include "admin/admin.h"
#include "tenant/ai_models.h"

#include <stdlib.h>

#define DAYS     30
#define DAYS_MAX 3650

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    enum db_status status = ai_models_json(request->db, request->org, &reply->body);

    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    }
}

static void compare(const struct admin_request *request, struct admin_reply *reply)
{
    const char *text = admin_query(request, "days");
    char *end = NULL;
    long days = text != NULL ? strtol(text, &end, 10) : DAYS;

    if (days < 1 || days > DAYS_MAX || (end != NULL && *end != '\0')) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "days",
                      "a whole number from 1 to 3650 would be right");
        return;
    }
    enum db_status status = ai_split_json(request->db, request->org, admin_query(request, "name"),
                                          (int)days, &reply->body);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    }
}

static const struct admin_route routes[] = {
    {"GET", "models", ADMIN_STAFF, 0, list, .summary = "The catalogue, as the organisation sees it",
     .answer = "{models: [object], restricted: bool, default_model_id: text|null, routing: text,"
               " region_allow_list: [text],"
               " presets: object, suggestions: object}"},
    {"GET", "models/ab", ADMIN_STAFF, 0, compare, .summary = "The arms of a split, side by side",
     .query = "{name?: text, days?: int}",
     .answer = "{split: text, days: int, arms: [{arm: text, models: [text], conversations: int,"
               " answers: int, incomplete: int, cost_micro: int, unpriced_calls: int,"
               " first_token_ms: {p50: number|null, p95: number|null},"
               " total_ms: {p50: number|null, p95: number|null}, feedback: {up: int, down: int},"
               " rating: {average: number|null, count: int}}]}"},
};

const struct admin_resource admin_models = {routes, sizeof(routes) / sizeof(routes[0])};
