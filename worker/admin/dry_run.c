/* POST dry-run (ENG-18): what would be asked, of whom, from what, at what price. */
#include "admin/field.h"
#include "chat/dry_run.h"
#include "protocol/ids.h"
#include "protocol/limits.h"

static void make(const struct admin_request *request, struct admin_reply *reply)
{
    static const char *const known[] = {"message", "language", "model_id", "session_id", NULL};
    struct dry_run_ask ask = {.org = request->org};
    struct fd_json_writer w;
    struct dry_run run;

    if (!field_known(request, reply, known) ||
        !field_text(request, reply, "message", true, FD_MESSAGE_MAX, &ask.question) ||
        !field_text(request, reply, "language", false, FD_LANGUAGE_MAX, &ask.language) ||
        !field_text(request, reply, "model_id", false, FD_MODEL_ID_MAX, &ask.model_id) ||
        !field_text(request, reply, "session_id", false, FD_SESSION_ID_LEN, &ask.session))
        return;
    enum db_status status = dry_run_make(request->db, request->config, request->arena, &ask, &run);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (!run.found) {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    } else {
        buf_json(&reply->body, &w);
        dry_run_write(&w, &run);
        if (!buf_json_end(&reply->body, &w))
            admin_problem(reply, request, FD_PROBLEM_INTERNAL, NULL, NULL);
    }
    dry_run_free(&run);
}

static const struct admin_route routes[] = {
    {"POST", "dry-run", ADMIN_STAFF, ADMIN_ASKS, make},
};

const struct admin_resource admin_dry_run = {routes, sizeof(routes) / sizeof(routes[0])};
