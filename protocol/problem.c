#include "protocol/problem.h"

#include <stdio.h>
#include <string.h>

struct problem_kind {
    int status;
    bool retryable;
    const char *slug;
    const char *title;
};

static const struct problem_kind kinds[FD_PROBLEM_TYPES] = {
    [FD_PROBLEM_MALFORMED] = {400, false, "malformed-json",
                              "The request body is not acceptable JSON."},
    [FD_PROBLEM_BAD_REQUEST] = {400, false, "bad-request",
                                "A header or a parameter of the request is not valid."},
    [FD_PROBLEM_KEY_MISSING] = {401, false, "key-missing", "An API key is required."},
    [FD_PROBLEM_KEY_INVALID] = {401, false, "key-invalid",
                                "The API key is unknown, expired or revoked."},
    [FD_PROBLEM_BUDGET] = {402, false, "budget-exhausted",
                           "The budget does not allow this request."},
    [FD_PROBLEM_ORIGIN] = {403, false, "origin-forbidden",
                           "This API key may not be used from this site."},
    [FD_PROBLEM_KEY_KIND] = {403, false, "key-kind",
                             "This kind of API key may not be used for this request."},
    [FD_PROBLEM_DISABLED] = {403, false, "assistant-disabled",
                             "AI assistant is disabled for this org"},
    [FD_PROBLEM_ROLE] = {403, false, "role-required", "Your role does not allow this."},
    [FD_PROBLEM_NOT_FOUND] = {404, false, "not-found", "There is nothing at this address."},
    [FD_PROBLEM_METHOD] = {405, false, "method-not-allowed",
                           "This address does not take requests of this method."},
    [FD_PROBLEM_BUSY] = {409, true, "session-busy",
                         "The previous message of this conversation is still being answered."},
    [FD_PROBLEM_SESSION_ENDED] = {409, false, "session-ended", "This conversation has ended."},
    [FD_PROBLEM_CONFLICT] = {409, false, "conflict",
                             "It exists already, or something else still needs it."},
    [FD_PROBLEM_TOO_LARGE] = {413, false, "too-large", "The request body is too large."},
    [FD_PROBLEM_MEDIA_TYPE] = {415, false, "media-type",
                               "The request body must be sent as application/json."},
    [FD_PROBLEM_FIELD] = {422, false, "invalid-field", "A field of the request is not valid."},
    [FD_PROBLEM_IDEMPOTENCY_MISMATCH] = {422, false, "idempotency-mismatch",
                                         "The idempotency key was used before for another "
                                         "request."},
    [FD_PROBLEM_RATE] = {429, true, "rate-limited", "Too many requests; please slow down."},
    [FD_PROBLEM_SESSION_RATE] = {429, true, "session-rate-limited",
                                 "Too many messages in this conversation; please slow down."},
    [FD_PROBLEM_ADDRESS_RATE] = {429, true, "address-rate-limited",
                                 "Too many conversations were started from this address."},
    [FD_PROBLEM_CONCURRENCY] = {429, true, "concurrency-limited",
                                "Too many answers are being written at the same time."},
    [FD_PROBLEM_QUOTA] = {429, false, "quota-exhausted",
                          "The plan's messages for this month are used up."},
    [FD_PROBLEM_HEADERS_TOO_LARGE] = {431, false, "headers-too-large",
                                      "The request's headers are too large."},
    [FD_PROBLEM_INTERNAL] = {500, true, "internal", "Something went wrong on our side."},
    [FD_PROBLEM_PROVIDER] = {502, true, "provider-failed", "The AI provider could not answer."},
    [FD_PROBLEM_UNAVAILABLE] = {503, true, "unavailable",
                                "The service is not available at the moment."},
    [FD_PROBLEM_OVERLOADED] = {503, true, "overloaded", "The service is busy; try again soon."},
    [FD_PROBLEM_PROVIDER_TIMEOUT] = {504, true, "provider-timeout",
                                     "The AI provider did not answer in time."},
    [FD_PROBLEM_DEADLINE] = {504, true, "deadline", "The answer took too long."},
    [FD_PROBLEM_INTERRUPTED] = {502, true, "interrupted",
                                "The answer was cut off; what came until then is kept."},
    [FD_PROBLEM_MODEL] = {404, false, "model-not-found",
                          "There is no such model for this organization."},
    [FD_PROBLEM_CONTEXT] = {400, false, "context-length-exceeded",
                            "These messages are longer than the model can read."},
    [FD_PROBLEM_FILTER] = {400, false, "content-filter",
                           "The model's provider declined to answer this."},
    [FD_PROBLEM_REFUSED] = {400, false, "provider-refused",
                            "The model's provider did not accept this request: a schema or a "
                            "parameter may be at fault."},
    [FD_PROBLEM_CANCELLED] = {409, false, "cancelled", "The answer was stopped."},
    [FD_PROBLEM_SIGN_IN] = {401, false, "sign-in-required", "Please sign in."},
    [FD_PROBLEM_PASSWORD] = {401, false, "sign-in-failed",
                             "The e-mail address and the password do not match."},
    [FD_PROBLEM_CROSS_SITE] = {403, false, "cross-site",
                               "This request was not sent by a page of this server."},
    [FD_PROBLEM_SIGN_IN_RATE] = {429, true, "sign-in-throttled",
                                 "Too many tries to sign in; please wait."},
    [FD_PROBLEM_CHANGED] = {412, false, "changed-meanwhile",
                            "It has been changed since you read it."},
    [FD_PROBLEM_RUNNING] = {409, true, "request-running",
                            "The request with this idempotency key is still being worked on."},
    [FD_PROBLEM_ORGANIZATION] = {409, false, "organization-changed",
                                 "Your session acts in another organization now."},
    [FD_PROBLEM_WHICH_ORGANIZATION] = {409, false, "organization-required",
                                       "Several organizations have a user with this password"},
};

int fd_problem_status(enum fd_problem_type type)
{
    return kinds[type].status;
}

const char *fd_problem_title(enum fd_problem_type type)
{
    return kinds[type].title;
}

const char *fd_problem_slug(enum fd_problem_type type)
{
    return kinds[type].slug;
}

bool fd_problem_retryable(enum fd_problem_type type)
{
    return kinds[type].retryable;
}

static void optional(struct fd_json_writer *w, const char *key, const char *value)
{
    if (value != NULL)
        fd_jw_member(w, key, value);
}

void fd_problem_write(struct fd_json_writer *w, const struct fd_problem *problem)
{
    const struct problem_kind *kind = &kinds[problem->type];
    char urn[64];

    snprintf(urn, sizeof(urn), "urn:frontdesk:problem:%s", kind->slug);
    fd_jw_object(w);
    fd_jw_member(w, "type", urn);
    fd_jw_member(w, "title", kind->title);
    fd_jw_member_int(w, "status", kind->status);
    fd_jw_member(w, "code", kind->slug);
    optional(w, "detail", problem->detail);
    if (problem->reason != NULL) {
        fd_jw_key(w, "reason");
        fd_jw_raw(w, problem->reason, strlen(problem->reason));
    }
    optional(w, "field", problem->field);
    optional(w, "job_id", problem->job_id);
    optional(w, "request_id", problem->request_id);
    if (problem->retry_after > 0)
        fd_jw_member_int(w, "retry_after", problem->retry_after);
    fd_jw_member_bool(w, "retryable", kind->retryable);
    fd_jw_end_object(w);
}

bool fd_problem_read(const struct fd_json *document, struct fd_problem *problem)
{
    const char *slug = fd_json_string(document, "code");

    *problem = (struct fd_problem){.detail = fd_json_string(document, "detail"),
                                   .field = fd_json_string(document, "field"),
                                   .job_id = fd_json_string(document, "job_id"),
                                   .request_id = fd_json_string(document, "request_id")};
    for (int type = 0; slug != NULL && type < FD_PROBLEM_TYPES; type++) {
        if (strcmp(kinds[type].slug, slug) == 0) {
            problem->type = (enum fd_problem_type)type;
            return true;
        }
    }
    return false;
}
