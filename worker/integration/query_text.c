#include "integration/query_text.h"
#include "core/buf.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static bool fault(char error[256], const char *what)
{
    snprintf(error, 256, "the query %s", what);
    return false;
}

static bool begins_with(const char *text, const char *word)
{
    size_t len = strlen(word);

    return strncasecmp(text, word, len) == 0 && strchr(NAME_CHARACTERS, text[len]) == NULL;
}

static bool reads_only(const char *text)
{
    text += strspn(text, " \t\r\n(");
    return begins_with(text, "select") || begins_with(text, "with") ||
           begins_with(text, "values") || begins_with(text, "table");
}

/* The end of a block comment; they nest. */
static const char *behind_comment(const char *at)
{
    int depth = 0;

    for (; *at != '\0'; at++) {
        if (at[0] == '/' && at[1] == '*') {
            depth++;
            at++;
        } else if (at[0] == '*' && at[1] == '/') {
            at++;
            if (--depth == 0)
                return at + 1;
        }
    }
    return at;
}

/* The end of $tag$...$tag$; `at` itself when it is none. */
static const char *behind_dollars(const char *at)
{
    size_t tag = 1 + strspn(at + 1, NAME_CHARACTERS) + 1;
    const char *end;

    if (at[tag - 1] != '$')
        return at;
    for (end = strchr(at + tag, '$'); end != NULL; end = strchr(end + 1, '$')) {
        if (strncmp(end, at, tag) == 0)
            return end + tag;
    }
    return at + strlen(at);
}

/* '...' with '' in it, and E'...' with \' as well. */
static const char *behind_quotes(const char *text, const char *at)
{
    bool escapes = *at == '\'' && at > text && (at[-1] == 'e' || at[-1] == 'E');
    char quote = *at++;

    while (*at != '\0') {
        if (*at == '\\' && escapes && at[1] != '\0')
            at += 2;
        else if (*at == quote && at[1] == quote)
            at += 2;
        else if (*at++ == quote)
            break;
    }
    return at;
}

/* Behind what begins at `at` and is no code; `at` itself when it is code. */
static const char *behind_text(const char *text, const char *at)
{
    if (*at == '\'' || *at == '"')
        return behind_quotes(text, at);
    if (at[0] == '-' && at[1] == '-')
        return at + strcspn(at, "\n");
    if (at[0] == '/' && at[1] == '*')
        return behind_comment(at);
    if (*at == '$')
        return behind_dollars(at);
    return at;
}

static bool add_parameter(struct arena *a, struct buf *out, const char *brace,
                          struct query_text *query, char error[256])
{
    size_t len = strspn(brace + 1, NAME_CHARACTERS), i = 0;
    const char *name = arena_strndup(a, brace + 1, len);

    if (len == 0 || brace[1 + len] != '}')
        return fault(error, "has a { that is not {name} of an argument");
    while (i < query->count && strcmp(query->names[i], name) != 0)
        i++;
    if (i == QUERY_PARAMS_MAX)
        return fault(error, "has more than 32 arguments");
    query->names[i] = name;
    if (i == query->count)
        query->count++;
    buf_printf(out, "$%zu", i + 1);
    return true;
}

static bool translate(struct arena *a, const char *text, struct buf *out, struct query_text *query,
                      char error[256])
{
    for (const char *at = text; *at != '\0';) {
        const char *behind = behind_text(text, at);

        if (behind > at) {
            buf_append(out, at, (size_t)(behind - at));
            at = behind;
        } else if (*at == '{') {
            if (!add_parameter(a, out, at, query, error))
                return false;
            at = strchr(at, '}') + 1;
        } else if (*at == '$') {
            return fault(error, "names its arguments {name}, not $1");
        } else if (*at == ';' && at[1 + strspn(at + 1, " \t\r\n;")] != '\0') {
            return fault(error, "must be one statement");
        } else {
            buf_append(out, at++, 1);
        }
    }
    return !out->over || fault(error, "is too long");
}

bool query_text_read(struct arena *a, const char *text, struct query_text *query, char error[256])
{
    struct buf out;
    bool ok;

    *query = (struct query_text){0};
    if (strlen(text) > QUERY_TEXT_MAX)
        return fault(error, "is longer than 16384 bytes");
    if (!reads_only(text))
        return fault(error, "must begin with SELECT, WITH, VALUES or TABLE");
    buf_init(&out, 2 * QUERY_TEXT_MAX);
    ok = translate(a, text, &out, query, error);
    query->sql = ok ? arena_strdup(a, out.data) : NULL;
    buf_free(&out);
    return ok;
}

bool query_text_bind(struct arena *a, const struct query_text *query,
                     const struct fd_json *arguments, const char *values[QUERY_PARAMS_MAX],
                     char error[256])
{
    for (size_t i = 0; i < query->count; i++) {
        const struct fd_json *value = fd_json_get(arguments, query->names[i]);

        values[i] = NULL;
        if (value == NULL || value->type == FD_JSON_NULL)
            continue;
        if (value->type == FD_JSON_STRING || value->type == FD_JSON_NUMBER) {
            values[i] = arena_strdup(a, value->text);
        } else if (value->type == FD_JSON_BOOL) {
            values[i] = value->boolean ? "true" : "false";
        } else {
            snprintf(error, 256, "the argument %.60s must be a text, a number or a boolean",
                     query->names[i]);
            return false;
        }
    }
    return true;
}
