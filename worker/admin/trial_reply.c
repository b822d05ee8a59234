#include "admin/trial_reply.h"

#include "tool/settings_json.h"

#include <string.h>

static const struct admin_field fields[] = {
    {"arguments", ADMIN_OBJECT},
    {"language", ADMIN_TEXT, .max = 35},
};
const struct admin_body trial_body = {.fields = fields,
                                      .count = sizeof(fields) / sizeof(fields[0])};

void trial_reply(const struct admin_request *request, struct admin_reply *reply,
                 enum db_status status, const struct trial *trial,
                 const struct tool_problem *problem)
{
    struct fd_json_writer w;

    if (problem->field != NULL && strcmp(problem->field, "name") == 0) {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, problem->text);
    } else if (problem->field != NULL) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, problem->field, problem->text);
    } else if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else {
        buf_json(&reply->body, &w);
        tools_write_test(&w, trial);
        buf_json_end(&reply->body, &w);
    }
}
