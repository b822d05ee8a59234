/* POST dry-run (ENG-18): what would be asked, of whom, from what, at what price. */
#include "admin/admin.h"
#include "chat/dry_run.h"
#include "protocol/ids.h"
#include "protocol/limits.h"

static void make(const struct admin_request *request, struct admin_reply *reply)
{
    struct dry_run_ask ask = {.org = request->org,
                              .question = fd_json_string(request->body, "message"),
                              .language = fd_json_string(request->body, "language"),
                              .model_id = fd_json_string(request->body, "model_id"),
                              .session = fd_json_string(request->body, "session_id")};
    struct fd_json_writer w;
    struct dry_run run;

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

static const struct admin_field fields[] = {
    {"message", ADMIN_TEXT, .required = true, .max = FD_MESSAGE_MAX},
    {"language", ADMIN_TEXT, .max = FD_LANGUAGE_MAX},
    {"model_id", ADMIN_TEXT, .max = FD_MODEL_ID_MAX},
    {"session_id", ADMIN_TEXT, .max = FD_SESSION_ID_LEN},
};

static const struct admin_route routes[] = {
    {"POST", "dry-run", ADMIN_STAFF, ADMIN_ASKS, make,
     .summary = "What a question would send, and to which model", .body = ADMIN_BODY(fields),
     .answer = "object"},
};

const struct admin_resource admin_dry_run = {routes, sizeof(routes) / sizeof(routes[0])};
