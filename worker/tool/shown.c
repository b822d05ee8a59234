#include "tool/shown.h"

#include "core/buf.h"
#include "core/utf8.h"

#include <stdio.h>
#include <string.h>

/* How much of everything is kept; tried from the top until it fits. */
struct measure {
    size_t text;  /* bytes of a string */
    size_t items; /* of an array or object */
    unsigned depth;
};

static const struct measure measures[] = {
    {SIZE_MAX, SIZE_MAX, 31}, {24000, 1000, 31}, {12000, 300, 31}, {4000, 150, 24}, {2000, 80, 20},
    {1000, 40, 16},           {500, 20, 12},     {200, 12, 8},     {100, 8, 6},     {60, 4, 4},
};

/* Where a text is cut: behind a line or a sentence of its last fifth, else a word. */
static size_t boundary(const char *text, size_t len, size_t max)
{
    size_t end = utf8_floor(text, len, max), word = 0;

    for (size_t i = end; i > max - max / 5 && i > 0; i--) {
        if (text[i - 1] == '\n' || (strchr(".!?", text[i - 1]) != NULL && text[i] == ' '))
            return i;
        if (word == 0 && text[i] == ' ')
            word = i;
    }
    return word > 0 ? word : end;
}

static void put_text(struct fd_json_writer *w, struct arena *a, const char *text, size_t len,
                     size_t max)
{
    if (len <= max) {
        fd_jw_string(w, text, len);
        return;
    }
    size_t kept = boundary(text, len, max);
    fd_jw_cstring(w, arena_printf(a, "%.*s [cut: %zu of %zu bytes]", (int)kept, text, kept, len));
}

static void put(struct fd_json_writer *w, struct arena *a, const struct fd_json *v,
                const struct measure *m, unsigned depth)
{
    char note[64];
    size_t shown = 0;

    if (v->type == FD_JSON_STRING) {
        put_text(w, a, v->text, v->text_len, m->text);
        return;
    }
    if (v->type != FD_JSON_ARRAY && v->type != FD_JSON_OBJECT) {
        fd_jw_json(w, v);
        return;
    }
    if (depth >= m->depth) {
        snprintf(note, sizeof(note), "[cut: %zu %s]", v->count,
                 v->type == FD_JSON_ARRAY ? "items" : "properties");
        fd_jw_cstring(w, note);
        return;
    }
    bool object = v->type == FD_JSON_OBJECT;
    object ? fd_jw_object(w) : fd_jw_array(w);
    for (const struct fd_json *c = v->child; c != NULL && shown < m->items; c = c->next, shown++) {
        if (object)
            fd_jw_key(w, c->key);
        put(w, a, c, m, depth + 1);
    }
    if (shown < v->count) {
        snprintf(note, sizeof(note), "[cut: %zu of %zu shown]", shown, v->count);
        if (object)
            fd_jw_key(w, "...");
        fd_jw_cstring(w, note);
    }
    object ? fd_jw_end_object(w) : fd_jw_end_array(w);
}

static bool try_measure(struct buf *out, struct arena *a, const struct fd_json *value,
                        const char *say, const struct measure *m)
{
    struct fd_json_writer w;

    buf_reset(out);
    buf_json(out, &w);
    if (say != NULL) {
        fd_jw_object(&w);
        fd_jw_key(&w, "data");
    }
    put(&w, a, value, m, say != NULL);
    if (say != NULL) {
        fd_jw_key(&w, "say");
        put_text(&w, a, say, strlen(say), 1000);
        fd_jw_end_object(&w);
    }
    return buf_json_end(out, &w);
}

const char *shown_json(struct arena *a, const struct fd_json *value, const char *say, size_t max,
                       size_t *len)
{
    const char *json = "\"[cut: it was too large]\"";
    struct buf out;

    *len = strlen(json);
    buf_init(&out, max);
    for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
        if (try_measure(&out, a, value, say, &measures[i])) {
            json = arena_strndup(a, out.data, out.len);
            *len = out.len;
            break;
        }
    }
    buf_free(&out);
    return json;
}

const char *shown_text(struct arena *a, const char *text, size_t text_len, size_t max, size_t *len)
{
    struct fd_json string = {
        .type = FD_JSON_STRING, .key = "text", .key_len = 4, .text = text, .text_len = text_len};
    const struct fd_json object = {.type = FD_JSON_OBJECT, .count = 1, .child = &string};

    return shown_json(a, &object, NULL, max, len);
}
