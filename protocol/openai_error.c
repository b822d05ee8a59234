#include "protocol/openai_error.h"

#include <stdio.h>
#include <string.h>

int fd_openai_status(enum fd_problem_type type)
{
    switch (type) {
    case FD_PROBLEM_BUDGET: return 429;
    case FD_PROBLEM_FIELD:
    case FD_PROBLEM_IDEMPOTENCY_MISMATCH: return 400;
    default: return fd_problem_status(type);
    }
}

bool fd_openai_never_retry(enum fd_problem_type type)
{
    switch (type) {
    case FD_PROBLEM_BUDGET:
    case FD_PROBLEM_QUOTA:
    case FD_PROBLEM_CANCELLED:
    case FD_PROBLEM_DEADLINE: return true;
    default: return false;
    }
}

static const char *type_of(enum fd_problem_type type)
{
    switch (type) {
    case FD_PROBLEM_BUDGET:
    case FD_PROBLEM_QUOTA: return "insufficient_quota";
    case FD_PROBLEM_RATE:
    case FD_PROBLEM_SESSION_RATE:
    case FD_PROBLEM_ADDRESS_RATE:
    case FD_PROBLEM_CONCURRENCY: return "requests";
    default: break;
    }
    int status = fd_openai_status(type);
    if (status == 403)
        return "request_forbidden";
    return status < 500 ? "invalid_request_error" : "server_error";
}

/* The problem's own word where OpenAI has none. */
static const char *code_of(const struct fd_problem *problem, char own[64])
{
    if (problem->openai_code != NULL)
        return problem->openai_code;
    switch (problem->type) {
    case FD_PROBLEM_KEY_MISSING:
    case FD_PROBLEM_KEY_INVALID: return "invalid_api_key";
    case FD_PROBLEM_BUDGET:
    case FD_PROBLEM_QUOTA: return "insufficient_quota";
    case FD_PROBLEM_RATE:
    case FD_PROBLEM_SESSION_RATE:
    case FD_PROBLEM_ADDRESS_RATE:
    case FD_PROBLEM_CONCURRENCY: return "rate_limit_exceeded";
    case FD_PROBLEM_FIELD: return "invalid_value";
    case FD_PROBLEM_NOT_FOUND: return "unknown_url";
    default: break;
    }
    snprintf(own, 64, "%s", fd_problem_slug(problem->type));
    for (char *dash = own; (dash = strchr(dash, '-')) != NULL;)
        *dash = '_';
    return own;
}

/* A fault of a field is told in a sentence that names it. */
static void write_message(struct fd_json_writer *w, const struct fd_problem *problem)
{
    const char *title = fd_problem_title(problem->type);
    char both[768];
    if (problem->detail == NULL)
        snprintf(both, sizeof(both), "%s", title);
    else if (problem->type == FD_PROBLEM_FIELD)
        snprintf(both, sizeof(both), "%s", problem->detail);
    else
        snprintf(both, sizeof(both), "%s (%s)", title, problem->detail);
    fd_jw_member(w, "message", both);
}

void fd_openai_error_write(struct fd_json_writer *w, const struct fd_problem *problem)
{
    char own[64];
    const char *field = problem->field != NULL && *problem->field != '\0' ? problem->field : NULL;
    fd_jw_object(w);
    fd_jw_key(w, "error");
    fd_jw_object(w);
    write_message(w, problem);
    fd_jw_member(w, "type", type_of(problem->type));
    fd_jw_member(w, "param", field);
    fd_jw_member(w, "code", code_of(problem, own));
    fd_jw_end_object(w);
    fd_jw_end_object(w);
}
