#include "core/yaml.h"

#include <string.h>

#define FLOW_MAX 90 /* bytes on one line */

/* Words that YAML reads as something else, or did in 1.1. */
static bool is_reserved(const char *s)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off",
                                        "y",    "n",     "True", "Yes", "No", "On", "Off"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], s) == 0)
            return true;
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_plain(const char *s)
{
    static const char inside[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_ ./-";
    size_t len = strlen(s);

    return (is_letter(s[0]) || s[0] == '/') && strspn(s, inside) == len && s[len - 1] != ' ' &&
           !is_reserved(s);
}

static void write_string(struct buf *out, const char *s, size_t len)
{
    struct fd_json_writer w;

    if (is_plain(s)) {
        buf_append(out, s, len);
        return;
    }
    buf_json(out, &w);
    fd_jw_string(&w, s, len);
    buf_json_end(out, &w);
}

static bool is_scalar(const struct fd_json *v)
{
    return (v->type != FD_JSON_OBJECT && v->type != FD_JSON_ARRAY) || v->count == 0;
}

static void write_scalar(struct buf *out, const struct fd_json *v)
{
    switch (v->type) {
    case FD_JSON_STRING: write_string(out, v->text, v->text_len); break;
    case FD_JSON_NUMBER: buf_append(out, v->text, v->text_len); break;
    case FD_JSON_BOOL: buf_puts(out, v->boolean ? "true" : "false"); break;
    case FD_JSON_NULL: buf_puts(out, "null"); break;
    case FD_JSON_ARRAY: buf_puts(out, "[]"); break;
    case FD_JSON_OBJECT: buf_puts(out, "{}"); break;
    }
}

/* Short, and without anything nested: it is shown on one line. */
static bool is_flow(const struct fd_json *value)
{
    size_t len = 0;

    for (const struct fd_json *m = value->child; m != NULL; m = m->next) {
        if (!is_scalar(m) && (m->type != FD_JSON_ARRAY || !is_flow(m)))
            return false;
        len += m->key_len + m->text_len + 4;
    }
    return value->count > 0 && len <= FLOW_MAX;
}

static void write_flow(struct buf *out, const struct fd_json *value)
{
    bool object = value->type == FD_JSON_OBJECT;

    buf_puts(out, object ? "{" : "[");
    for (const struct fd_json *m = value->child; m != NULL; m = m->next) {
        if (object) {
            write_string(out, m->key, m->key_len);
            buf_puts(out, ": ");
        }
        if (is_scalar(m))
            write_scalar(out, m);
        else
            write_flow(out, m);
        buf_puts(out, m->next != NULL ? ", " : "");
    }
    buf_puts(out, object ? "}" : "]");
}

static void indent(struct buf *out, int level)
{
    for (int i = 0; i < level; i++)
        buf_puts(out, "  ");
}

/* `begun`: the first line has its indentation already, behind a "- ". */
static void write_block(struct buf *out, const struct fd_json *value, int level, bool begun)
{
    for (const struct fd_json *m = value->child; m != NULL; m = m->next, begun = false) {
        bool line = is_scalar(m) || is_flow(m);
        indent(out, begun ? 0 : level);
        if (value->type == FD_JSON_OBJECT) {
            write_string(out, m->key, m->key_len);
            buf_puts(out, line ? ": " : ":\n");
        } else {
            buf_puts(out, "- ");
        }
        if (is_scalar(m))
            write_scalar(out, m);
        else if (line)
            write_flow(out, m);
        else
            write_block(out, m, level + 1, value->type == FD_JSON_ARRAY);
        buf_puts(out, line ? "\n" : "");
    }
}

void yaml_write(struct buf *out, const struct fd_json *value)
{
    if (is_scalar(value)) {
        write_scalar(out, value);
        buf_puts(out, "\n");
    } else {
        write_block(out, value, 0, false);
    }
}
