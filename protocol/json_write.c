#include "protocol/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX (sizeof(((struct fd_json_writer *)0)->comma) - 1)

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static bool room(struct fd_json_writer *w, size_t more)
{
    if (w->failed)
        return false;
    if (w->cap - w->len >= more)
        return true;
    if (!w->grow(w, more))
        w->failed = true;
    return !w->failed;
}

static void put(struct fd_json_writer *w, const char *s, size_t len)
{
    if (len > 0 && room(w, len)) {
        memcpy(w->data + w->len, s, len);
        w->len += len;
    }
}

static bool in_object(const struct fd_json_writer *w)
{
    return (w->objects >> w->depth & 1) != 0;
}

/* What stands before a value: nothing may, if it is out of place. */
static void begin_value(struct fd_json_writer *w)
{
    if (w->depth == 0 ? w->comma[0] : in_object(w) && !w->keyed)
        w->failed = true;
    if (w->comma[w->depth] && !w->keyed)
        put(w, ",", 1);
    w->comma[w->depth] = true;
    w->keyed = false;
}

static void begin_nested(struct fd_json_writer *w, const char *bracket, bool object)
{
    begin_value(w);
    put(w, bracket, 1);
    if (w->depth >= DEPTH_MAX)
        w->failed = true;
    if (w->failed)
        return;
    w->depth++;
    w->comma[w->depth] = false;
    w->objects = (w->objects & ~(1u << w->depth)) | (uint32_t)object << w->depth;
}

static void end_nested(struct fd_json_writer *w, const char *bracket, bool object)
{
    if (w->depth == 0 || in_object(w) != object || w->keyed)
        w->failed = true;
    if (w->failed)
        return;
    w->depth--;
    put(w, bracket, 1);
}

void fd_jw_object(struct fd_json_writer *w)
{
    begin_nested(w, "{", true);
}

void fd_jw_end_object(struct fd_json_writer *w)
{
    end_nested(w, "}", true);
}

void fd_jw_array(struct fd_json_writer *w)
{
    begin_nested(w, "[", false);
}

void fd_jw_end_array(struct fd_json_writer *w)
{
    end_nested(w, "]", false);
}

static void put_escape(struct fd_json_writer *w, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    switch (c) {
    case '"': put(w, "\\\"", 2); return;
    case '\\': put(w, "\\\\", 2); return;
    case '\n': put(w, "\\n", 2); return;
    case '\r': put(w, "\\r", 2); return;
    case '\t': put(w, "\\t", 2); return;
    case '\0': put(w, REPLACEMENT, sizeof(REPLACEMENT) - 1); return; /* readers refuse it */
    default: put(w, escape, sizeof(escape));
    }
}

static void put_string(struct fd_json_writer *w, const char *s, size_t len)
{
    size_t plain = 0; /* start of what can be copied as it is */
    size_t i = 0;

    put(w, "\"", 1);
    while (i < len) {
        unsigned char c = (unsigned char)s[i];
        size_t step = c < 0x80 ? 1 : fd_utf8_sequence(s + i, len - i);

        if (step > 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += step;
            continue;
        }
        put(w, s + plain, i - plain);
        if (step == 0)
            put(w, REPLACEMENT, sizeof(REPLACEMENT) - 1);
        else
            put_escape(w, c);
        plain = ++i;
    }
    put(w, s + plain, len - plain);
    put(w, "\"", 1);
}

void fd_jw_key(struct fd_json_writer *w, const char *key)
{
    if (w->depth == 0 || !in_object(w) || w->keyed)
        w->failed = true;
    if (w->comma[w->depth])
        put(w, ",", 1);
    put_string(w, key, strlen(key));
    put(w, ":", 1);
    w->keyed = true;
}

void fd_jw_string(struct fd_json_writer *w, const char *s, size_t len)
{
    begin_value(w);
    put_string(w, s, len);
}

void fd_jw_cstring(struct fd_json_writer *w, const char *s)
{
    if (s == NULL)
        fd_jw_null(w);
    else
        fd_jw_string(w, s, strlen(s));
}

void fd_jw_int(struct fd_json_writer *w, int64_t value)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%lld", (long long)value);

    begin_value(w);
    put(w, digits, (size_t)len);
}

void fd_jw_double(struct fd_json_writer *w, double value)
{
    char digits[32];
    int len = 0;

    if (!isfinite(value)) {
        w->failed = true;
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        len = snprintf(digits, sizeof(digits), "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    begin_value(w);
    put(w, digits, (size_t)len);
}

void fd_jw_bool(struct fd_json_writer *w, bool value)
{
    begin_value(w);
    if (value)
        put(w, "true", 4);
    else
        put(w, "false", 5);
}

void fd_jw_null(struct fd_json_writer *w)
{
    begin_value(w);
    put(w, "null", 4);
}

void fd_jw_raw(struct fd_json_writer *w, const char *json, size_t len)
{
    if (len == 0)
        w->failed = true;
    begin_value(w);
    put(w, json, len);
}

/* Recurses as deep as the writer's own nesting, no deeper. */
void fd_jw_json(struct fd_json_writer *w, const struct fd_json *value)
{
    switch (value->type) {
    case FD_JSON_NULL: fd_jw_null(w); return;
    case FD_JSON_BOOL: fd_jw_bool(w, value->boolean); return;
    case FD_JSON_NUMBER: fd_jw_raw(w, value->text, value->text_len); return;
    case FD_JSON_STRING: fd_jw_string(w, value->text, value->text_len); return;
    case FD_JSON_ARRAY:
    case FD_JSON_OBJECT: break;
    }
    begin_nested(w, value->type == FD_JSON_OBJECT ? "{" : "[", value->type == FD_JSON_OBJECT);
    for (const struct fd_json *child = value->child; child != NULL && !w->failed;
         child = child->next) {
        if (value->type == FD_JSON_OBJECT)
            fd_jw_key(w, child->key);
        fd_jw_json(w, child);
    }
    end_nested(w, value->type == FD_JSON_OBJECT ? "}" : "]", value->type == FD_JSON_OBJECT);
}

void fd_jw_member(struct fd_json_writer *w, const char *key, const char *value)
{
    fd_jw_key(w, key);
    fd_jw_cstring(w, value);
}

void fd_jw_member_int(struct fd_json_writer *w, const char *key, int64_t value)
{
    fd_jw_key(w, key);
    fd_jw_int(w, value);
}

void fd_jw_member_bool(struct fd_json_writer *w, const char *key, bool value)
{
    fd_jw_key(w, key);
    fd_jw_bool(w, value);
}

void fd_jw_member_raw(struct fd_json_writer *w, const char *key, const char *json)
{
    fd_jw_key(w, key);
    if (json != NULL)
        fd_jw_raw(w, json, strlen(json));
    else
        fd_jw_null(w);
}
