#include "tool/result.h"

#include "core/buf.h"

#include <string.h>

static const struct {
    const char *name;
    const char *message;
    const char *write_message; /* NULL: the same */
    bool retryable;            /* by the model, and for reads only */
} failures[] = {
    [TOOL_OK] = {"ok", "", NULL, false},
    [TOOL_UNKNOWN] = {"unknown_tool", "There is no such tool.", NULL, false},
    [TOOL_ARGUMENTS] = {"arguments", "The arguments are wrong.", NULL, true},
    [TOOL_REFUSED] = {"refused", "This was not allowed.", NULL, false},
    [TOOL_BLOCKED] = {"blocked", "The tool cannot be used: it is not set up correctly.", NULL,
                      false},
    [TOOL_UNREACHABLE] = {"unreachable", "The tool could not be reached. Nothing was done.", NULL,
                          true},
    [TOOL_TIMEOUT] = {"timeout", "The tool did not answer in time.",
                      "The tool did not answer in time. It is not known whether it was done: "
                      "say so, and do not call it again.",
                      true},
    [TOOL_HTTP] = {"http", "The tool answered with an error.",
                   "The tool answered with an error. Do not say that it was done, and do not call "
                   "it again.",
                   true},
    [TOOL_RESPONSE] = {"response", "The tool gave no usable answer.",
                       "The tool gave no usable answer. It is not known whether it was done: say "
                       "so, and do not call it again.",
                       false},
    [TOOL_UNAVAILABLE] = {"unavailable",
                          "The tool is not available at the moment. Nothing was done.", NULL, true},
    [TOOL_FAILED] = {"failed", "The tool says that it failed.", NULL, false},
};

const char *tool_failure_name(enum tool_failure failure)
{
    return failures[failure].name;
}

/* A server that fails may have done it before. */
static const char server_failed[] =
    "The tool failed while it worked on it. It may have been done or not: say that it has to be "
    "checked, and do not call it again.";

void tool_result_error(struct tool_result *result, struct arena *a, enum tool_failure failure,
                       const char *code, const char *message, bool retryable)
{
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, TOOL_RESULT_MAX);
    buf_json(&out, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "error");
    fd_jw_object(&w);
    fd_jw_member(&w, "code", code);
    fd_jw_member(&w, "message", message);
    fd_jw_member_bool(&w, "retryable", retryable);
    fd_jw_end_object(&w);
    fd_jw_end_object(&w);
    bool fits = buf_json_end(&out, &w);
    result->failure = failure;
    result->json = fits ? arena_strndup(a, out.data, out.len) : "{\"error\":{\"code\":\"failed\"}}";
    result->len = strlen(result->json);
    buf_free(&out);
}

void tool_result_fail(struct tool_result *result, struct arena *a, enum tool_failure failure,
                      enum tool_risk risk, const char *code, const char *message)
{
    bool writes = risk != TOOL_READ;
    bool nothing_done =
        failure == TOOL_ARGUMENTS || failure == TOOL_UNREACHABLE || failure == TOOL_UNAVAILABLE;

    if (message == NULL && writes && failure == TOOL_HTTP && result->status >= 500)
        message = server_failed;
    if (message == NULL)
        message = writes && failures[failure].write_message != NULL
                      ? failures[failure].write_message
                      : failures[failure].message;
    tool_result_error(result, a, failure, code != NULL ? code : failures[failure].name, message,
                      failures[failure].retryable && (!writes || nothing_done));
}
