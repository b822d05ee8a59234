#include "llm/error.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_BODY_NODES 2048

const char *llm_error_name(enum llm_error_class error)
{
    static const char *const names[] = {
        [LLM_ERROR_NONE] = "none",         [LLM_ERROR_CONNECT] = "connect",
        [LLM_ERROR_TIMEOUT] = "timeout",   [LLM_ERROR_CUT] = "cut",
        [LLM_ERROR_PROTOCOL] = "protocol", [LLM_ERROR_RATE] = "rate",
        [LLM_ERROR_QUOTA] = "quota",       [LLM_ERROR_OVERLOADED] = "overloaded",
        [LLM_ERROR_AUTH] = "auth",         [LLM_ERROR_REQUEST] = "request",
        [LLM_ERROR_CONTEXT] = "context",   [LLM_ERROR_FILTER] = "filter"};
    return names[error];
}

const char *llm_finish_name(enum llm_finish finish)
{
    static const char *const names[] = {[LLM_FINISH_NONE] = "none",
                                        [LLM_FINISH_STOP] = "stop",
                                        [LLM_FINISH_LENGTH] = "length",
                                        [LLM_FINISH_TOOLS] = "tool_calls",
                                        [LLM_FINISH_FILTER] = "content_filter",
                                        [LLM_FINISH_OTHER] = "other"};
    return names[finish];
}

void llm_error_clear(struct llm_error *error)
{
    *error = (struct llm_error){.retry_after_ms = -1, .should_retry = -1};
}

/* Providers quote the key they refused; what they quote must not reach a log. */
static void hide_keys(char *text)
{
    for (char *at = strstr(text, "sk-"); at != NULL; at = strstr(at, "sk-")) {
        char *end = at + strlen("sk-");
        while (isalnum((unsigned char)*end) || *end == '-' || *end == '_' || *end == '*') {
            end++;
        }
        bool starts_word = at == text || !isalnum((unsigned char)at[-1]);
        if (starts_word && end - at >= 12) {
            memcpy(at, "sk-***", 6);
            memmove(at + 6, end, strlen(end) + 1);
            end = at + 6;
        }
        at = end;
    }
}

static void make_one_line(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        bool blank = (unsigned char)*in <= ' ' || *in == 0x7f;
        if (!blank) {
            *out++ = *in;
        } else if (out > text && out[-1] != ' ') {
            *out++ = ' ';
        }
    }
    if (out > text && out[-1] == ' ') {
        out--;
    }
    *out = '\0';
}

/* A message cut in the middle of a character is no UTF-8 any more. */
static void cut_partial_character(char *text)
{
    size_t len = strlen(text), start = len;
    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    if (start > 0 && (unsigned char)text[start - 1] >= 0x80) {
        start--;
    }
    if (!fd_utf8_valid(text + start, len - start)) {
        text[start] = '\0';
    }
}

void llm_error_set(struct llm_error *error, enum llm_error_class class, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    make_one_line(text);
    hide_keys(text);
    error->class = class;
    size_t len = strnlen(text, sizeof(error->message) - 1);
    memcpy(error->message, text, len);
    error->message[len] = '\0';
    cut_partial_character(error->message);
}

/* openai-python raises on any truthy `error`; null, false, "" and 0 are none. */
static bool truthy(const struct fd_json *value)
{
    if (value == NULL) {
        return false;
    }
    switch (value->type) {
    case FD_JSON_NULL: return false;
    case FD_JSON_BOOL: return value->boolean;
    case FD_JSON_NUMBER: return value->number != 0;
    case FD_JSON_STRING: return value->text_len > 0;
    case FD_JSON_ARRAY:
    case FD_JSON_OBJECT: return true;
    }
    return true;
}

const struct fd_json *llm_error_find(const struct fd_json *body)
{
    if (body != NULL && body->type == FD_JSON_ARRAY) {
        body = body->child; /* Google wraps its error in a list */
    }
    if (body == NULL || body->type != FD_JSON_OBJECT) {
        return NULL;
    }
    const struct fd_json *error = fd_json_get(body, "error");
    if (truthy(error)) {
        return error;
    }
    const char *object = fd_json_string(body, "object"); /* vLLM */
    return object != NULL && strcmp(object, "error") == 0 ? body : NULL;
}

/* `code` is a number, a number in quotes, or a word. */
static int status_of_code(const struct fd_json *code)
{
    int64_t status = 0;
    if (code != NULL && code->type == FD_JSON_NUMBER && code->is_integer) {
        status = code->integer;
    } else if (code != NULL && code->type == FD_JSON_STRING && code->text_len == 3) {
        status = strtol(code->text, NULL, 10);
    }
    return status >= 400 && status <= 599 ? (int)status : 0;
}

static const char *first_of(const char *a, const char *b)
{
    return a != NULL && *a != '\0' ? a : b;
}

void llm_error_read(struct llm_error *error, int status, const struct fd_json *found)
{
    struct llm_error_words words = {.status = status};
    if (found->type == FD_JSON_STRING) {
        words.message = found->text;
        words.code = found->text; /* some send the bare code */
    }
    const struct fd_json *code = fd_json_get(found, "code");
    const struct fd_json *metadata = fd_json_get(found, "metadata");
    if (words.status == 0) {
        words.status = status_of_code(code);
    }
    if (found->type == FD_JSON_OBJECT) {
        words.code = fd_json_string(found, "code");
        words.type = fd_json_string(found, "type");
        words.message = first_of(fd_json_string(found, "message"), fd_json_string(found, "detail"));
    }
    words.detail = fd_json_string(metadata, "error_type");
    words.moderated =
        fd_json_get(metadata, "reasons") != NULL || fd_json_get(metadata, "flagged_input") != NULL;

    /* OpenRouter says "Provider returned error"; the reason is in metadata.raw. */
    const char *raw = fd_json_string(metadata, "raw");
    const char *message = first_of(words.message, first_of(words.type, words.code));
    char whole[1024];
    (void)snprintf(whole, sizeof(whole), "%s%s%s",
                   message != NULL ? message : "the provider reported an error",
                   raw != NULL ? ": " : "", raw != NULL ? raw : "");
    words.message = whole;
    error->status = words.status;
    llm_error_set(error, llm_error_classify(&words), "%s", whole);
}

void llm_error_http(int status, const char *body, size_t len, struct llm_error *error)
{
    llm_error_clear(error);
    error->status = status;

    struct arena arena;
    arena_init(&arena);
    struct fd_json_fault fault;
    const struct fd_json *root =
        fd_json_parse(body, len, (struct fd_json_limits){.nodes = ERROR_BODY_NODES},
                      arena_allocator(&arena), &fault);
    const struct fd_json *found = llm_error_find(root);
    if (found == NULL && root != NULL && root->type == FD_JSON_OBJECT) {
        found = root; /* {"message": ...}, {"detail": ...} of proxies and FastAPI */
    }
    if (found != NULL) {
        llm_error_read(error, status, found);
    } else {
        char text[200];
        (void)snprintf(text, sizeof(text), "%.*s", (int)(len < 199 ? len : 199),
                       body != NULL ? body : "");
        struct llm_error_words words = {.status = status, .message = text};
        llm_error_set(error, llm_error_classify(&words), "HTTP %d%s%s", status,
                      *text != '\0' ? ": " : "", text);
    }
    arena_free(&arena);
}
