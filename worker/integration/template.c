#include "integration/template.h"
#include "core/buf.h"

#include <stdio.h>
#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define TEXT_CHARACTERS NAME_CHARACTERS "-._~/?&=%:@!$'()*+,;[]"
#define UNRESERVED      NAME_CHARACTERS "-._~"

static bool fault(char error[256], const char *what)
{
    snprintf(error, 256, "%s", what);
    return false;
}

/* -- checking ------------------------------------------------------------------------ */

bool template_has(const struct template_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i], name) == 0)
            return true;
    }
    return false;
}

/* "{name}" at *at. */
static bool take_name(struct arena *a, const char **at, struct template_names *names,
                      char error[256])
{
    size_t len = strspn(*at + 1, NAME_CHARACTERS);
    const char *name = arena_strndup(a, *at + 1, len);

    if (len == 0 || (*at)[1 + len] != '}')
        return fault(error, "in the URL's template {...} needs a name of letters, digits and _");
    if (template_has(names, name))
        return fault(error, "the URL's template names an argument twice");
    if (names->count == TEMPLATE_NAMES_MAX)
        return fault(error, "the URL's template names too many arguments");
    names->list[names->count++] = name;
    *at += len + 2;
    return true;
}

/* In the query an argument is a parameter's whole value: "&name={x}&". */
static bool stands_alone(const char *text, const char *brace)
{
    const char *after = strchr(brace, '}');

    return brace > text && brace[-1] == '=' && after != NULL &&
           (after[1] == '&' || after[1] == '\0');
}

bool template_check(struct arena *a, const char *text, struct template_names *names,
                    char error[256])
{
    bool in_query = false;

    *names = (struct template_names){0};
    if (text[0] != '/' && text[0] != '?' && text[0] != '\0')
        return fault(error, "the URL's template stands behind the base URL and begins with /");
    if (text[0] == '/' && text[1] == '/')
        return fault(error, "the URL's template begins with //");
    if (strlen(text) > TEMPLATE_URL_MAX / 2)
        return fault(error, "the URL's template is too long");
    for (const char *at = text; *at != '\0';) {
        in_query = in_query || *at == '?';
        if (*at != '{') {
            if (strchr(TEXT_CHARACTERS, *at) == NULL)
                return fault(error, "the URL's template has a character that must be encoded");
            at++;
            continue;
        }
        if (in_query && !stands_alone(text, at))
            return fault(error, "in the query {...} stands for a whole value: name={name}");
        if (!take_name(a, &at, names, error))
            return false;
        if (!in_query)
            names->in_path = names->count;
    }
    return true;
}

/* -- values ---------------------------------------------------------------------------- */

static void encode(struct buf *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s[i] != '\0' && strchr(UNRESERVED, s[i]) != NULL)
            buf_append(out, s + i, 1);
        else
            buf_printf(out, "%%%02X", (unsigned char)s[i]);
    }
}

static bool has_control(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return true;
    }
    return false;
}

/* A string, number or boolean as text. */
static bool scalar_text(const struct fd_json *value, const char **text, size_t *len)
{
    switch (value->type) {
    case FD_JSON_STRING:
    case FD_JSON_NUMBER:
        *text = value->text;
        *len = value->text_len;
        return true;
    case FD_JSON_BOOL:
        *text = value->boolean ? "true" : "false";
        *len = strlen(*text);
        return true;
    default: return false;
    }
}

static bool bad_value(char error[256], const char *name, const char *why)
{
    snprintf(error, 256, "the argument %.60s %s", name, why);
    return false;
}

static bool put_scalar(struct buf *out, const char *name, const struct fd_json *value, bool in_path,
                       char error[256])
{
    const char *text;
    size_t len;

    if (!scalar_text(value, &text, &len))
        return bad_value(error, name, "must be a text, a number or true or false");
    if (len > TEMPLATE_VALUE_MAX)
        return bad_value(error, name, "is too long for a URL");
    if (has_control(text, len))
        return bad_value(error, name, "has a control character");
    /* not even encoded: what stands behind may decode it before it looks for segments */
    if (in_path && (len == 0 || memchr(text, '/', len) != NULL || memchr(text, '\\', len) != NULL))
        return bad_value(error, name, "must not be empty and have no / or \\");
    encode(out, text, len);
    return true;
}

/* In the query a list is its elements with commas. */
static bool put_value(struct buf *out, const char *name, const struct fd_json *value,
                      char error[256])
{
    if (value->type != FD_JSON_ARRAY)
        return put_scalar(out, name, value, false, error);
    for (const struct fd_json *item = value->child; item != NULL; item = item->next) {
        if (!put_scalar(out, name, item, false, error))
            return false;
        if (item->next != NULL)
            buf_puts(out, ",");
    }
    return true;
}

/* -- expanding ---------------------------------------------------------------------------- */

static const struct fd_json *argument(const struct fd_json *arguments, const char *brace,
                                      const char **name, struct arena *a)
{
    const struct fd_json *value;

    *name = arena_strndup(a, brace + 1, strcspn(brace + 1, "}"));
    value = fd_json_get(arguments, *name);
    return value != NULL && value->type != FD_JSON_NULL ? value : NULL;
}

/* "." and ".." are not names of segments, however they came together. */
static bool segments_are_plain(const char *path)
{
    while (*path == '/') {
        size_t len = strcspn(++path, "/");
        size_t dots = strspn(path, ".");

        if (len > 0 && len <= 2 && dots >= len)
            return false;
        path += len;
    }
    return true;
}

static bool expand_path(struct arena *a, struct buf *out, const char *path, size_t len,
                        const struct fd_json *arguments, char error[256])
{
    size_t start = out->len;
    const char *name;

    for (const char *at = path; at < path + len;) {
        const struct fd_json *value;

        if (*at != '{') {
            buf_append(out, at++, 1);
            continue;
        }
        value = argument(arguments, at, &name, a);
        if (value == NULL)
            return bad_value(error, name, "is missing");
        if (!put_scalar(out, name, value, true, error))
            return false;
        at = strchr(at, '}') + 1;
    }
    if (out->len > start && !out->over && !segments_are_plain(out->data + start))
        return fault(error, "an argument would make . or .. of a part of the path");
    return true;
}

static void separate(struct buf *out, bool *first)
{
    buf_puts(out, *first ? "?" : "&");
    *first = false;
}

/* "status=any&email={email}" */
static bool expand_query(struct arena *a, struct buf *out, const char *query, bool *first,
                         const struct fd_json *arguments, char error[256])
{
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        const char *brace = memchr(query, '{', len);
        const struct fd_json *value = NULL;
        const char *name;

        if (brace != NULL)
            value = argument(arguments, brace, &name, a);
        if (len > 0 && (brace == NULL || value != NULL)) {
            separate(out, first);
            buf_append(out, query, brace != NULL ? (size_t)(brace - query) : len);
        }
        if (value != NULL && !put_value(out, name, value, error))
            return false;
        query += len;
        query += *query == '&';
    }
    return true;
}

static bool add_rest(struct buf *out, const struct template_names *names, bool *first,
                     const struct fd_json *arguments, char error[256])
{
    for (const struct fd_json *value = arguments->child; value != NULL; value = value->next) {
        if (value->type == FD_JSON_NULL || template_has(names, value->key))
            continue;
        separate(out, first);
        encode(out, value->key, value->key_len);
        buf_puts(out, "=");
        if (!put_value(out, value->key, value, error))
            return false;
    }
    return true;
}

const char *template_expand(struct arena *a, const char *base_url, const char *text,
                            const struct fd_json *arguments, bool rest, char error[256])
{
    struct template_names names;
    const char *url = NULL;
    const char *query = strchr(text, '?');
    size_t path_len = query != NULL ? (size_t)(query - text) : strlen(text);
    bool first = true;
    struct buf out;
    bool ok;

    if (!template_check(a, text, &names, error))
        return NULL;
    buf_init(&out, TEMPLATE_URL_MAX);
    buf_puts(&out, base_url);
    ok = expand_path(a, &out, text, path_len, arguments, error) &&
         (query == NULL || expand_query(a, &out, query + 1, &first, arguments, error)) &&
         (!rest || add_rest(&out, &names, &first, arguments, error));
    if (ok && out.over)
        ok = fault(error, "the arguments make the URL too long");
    if (ok)
        url = arena_strdup(a, out.data != NULL ? out.data : "");
    buf_free(&out);
    return url;
}
