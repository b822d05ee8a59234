#define _GNU_SOURCE /* strcasestr */

#include "llm/error.h"

#include <string.h>
#include <strings.h>

struct meaning {
    const char *words;
    enum llm_error_class class;
};

/* Codes and types that mean the same at every status. */
static const struct meaning codes[] = {
    {"insufficient_quota", LLM_ERROR_QUOTA},
    {"insufficient_credits", LLM_ERROR_QUOTA},
    {"payment_required", LLM_ERROR_QUOTA},
    {"billing_error", LLM_ERROR_QUOTA},
    {"billing_hard_limit_reached", LLM_ERROR_QUOTA},
    {"billing_not_active", LLM_ERROR_QUOTA},
    {"context_length_exceeded", LLM_ERROR_CONTEXT},
    {"exceed_context_size_error", LLM_ERROR_CONTEXT},
    {"content_filter", LLM_ERROR_FILTER},
    {"content_policy_violation", LLM_ERROR_FILTER},
    {"moderation_blocked", LLM_ERROR_FILTER},
    {"refusal", LLM_ERROR_FILTER},
    {"rate_limit_exceeded", LLM_ERROR_RATE},
    {"rate_limit_error", LLM_ERROR_RATE},
    {"overloaded_error", LLM_ERROR_OVERLOADED},
    {"provider_overloaded", LLM_ERROR_OVERLOADED},
    {"provider_unavailable", LLM_ERROR_OVERLOADED},
    {"server_error", LLM_ERROR_OVERLOADED},
    {"api_error", LLM_ERROR_OVERLOADED},
    {"InternalServerError", LLM_ERROR_OVERLOADED},
    {"timeout", LLM_ERROR_TIMEOUT},
    {"timeout_error", LLM_ERROR_TIMEOUT},
    {"authentication_error", LLM_ERROR_AUTH},
    {"invalid_api_key", LLM_ERROR_AUTH},
    {"permission_error", LLM_ERROR_AUTH},
    {"model_not_found", LLM_ERROR_REQUEST},
    {"not_found_error", LLM_ERROR_REQUEST},
};

/* Types so general that a status says more. */
static const struct meaning vague_types[] = {
    {"invalid_request_error", LLM_ERROR_REQUEST},
    {"BadRequestError", LLM_ERROR_REQUEST},
    {"NotFoundError", LLM_ERROR_REQUEST},
};

/* Money is often told in the message alone: Anthropic's spend limit is a
 * rate_limit_error and its empty balance an invalid_request_error. */
static const char *const money_phrases[] = {
    "spend limit",        "spending limit",       "credit balance",
    "more credits",       "api usage limits",     "insufficient credits",
    "insufficient funds", "insufficient balance", "key limit exceeded"};

static const char *const context_phrases[] = {
    "context length", "maximum context",    "context window",
    "context size",   "prompt is too long", "exceeds the maximum number of tokens"};

/* Ollama's errors are a sentence, in the stream without a status. */
static const char *const request_phrases[] = {"not found", "does not support"};

static bool says_any(const char *message, const char *const *phrases, size_t count)
{
    if (message == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcasestr(message, phrases[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static enum llm_error_class look_up(const struct meaning *table, size_t count, const char *word)
{
    for (size_t i = 0; word != NULL && i < count; i++) {
        if (strcasecmp(table[i].words, word) == 0) {
            return table[i].class;
        }
    }
    return LLM_ERROR_NONE;
}

static enum llm_error_class class_of_codes(const struct llm_error_words *words)
{
    /* OpenRouter's error_type is the stable vocabulary, so it comes first. */
    const char *const said[] = {words->detail, words->code, words->type};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        enum llm_error_class class = look_up(codes, sizeof(codes) / sizeof(codes[0]), said[i]);
        if (class != LLM_ERROR_NONE) {
            return class;
        }
    }
    return LLM_ERROR_NONE;
}

static enum llm_error_class class_of_status(int status)
{
    switch (status) {
    case 401:
    case 403: return LLM_ERROR_AUTH;
    case 402: return LLM_ERROR_QUOTA;
    case 408: return LLM_ERROR_TIMEOUT;
    case 409: /* a lock that was not had in time */
    case 425: return LLM_ERROR_OVERLOADED;
    case 429: return LLM_ERROR_RATE;
    default: break;
    }
    if (status >= 500) {
        return LLM_ERROR_OVERLOADED;
    }
    if (status >= 300) {
        return LLM_ERROR_REQUEST; /* a redirect, too: the base URL is not the API's */
    }
    return status > 0 ? LLM_ERROR_PROTOCOL : LLM_ERROR_NONE;
}

enum llm_error_class llm_error_classify(const struct llm_error_words *words)
{
    if (says_any(words->message, money_phrases, sizeof(money_phrases) / sizeof(money_phrases[0]))) {
        return LLM_ERROR_QUOTA;
    }
    enum llm_error_class class = class_of_codes(words);
    if (class != LLM_ERROR_NONE) {
        return class;
    }
    if (words->moderated) {
        return LLM_ERROR_FILTER;
    }
    if (words->status != 429 && says_any(words->message, context_phrases,
                                         sizeof(context_phrases) / sizeof(context_phrases[0]))) {
        return LLM_ERROR_CONTEXT;
    }
    class = class_of_status(words->status);
    if (class != LLM_ERROR_NONE) {
        return class;
    }
    if (says_any(words->message, request_phrases,
                 sizeof(request_phrases) / sizeof(request_phrases[0]))) {
        return LLM_ERROR_REQUEST;
    }
    class = look_up(vague_types, sizeof(vague_types) / sizeof(vague_types[0]), words->type);
    /* An error without a word we know, in the middle of a stream: the provider broke. */
    return class != LLM_ERROR_NONE ? class : LLM_ERROR_OVERLOADED;
}
