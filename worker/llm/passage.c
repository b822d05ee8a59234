#include "llm/passage.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define SHORT_LINE 50 /* bytes: a shorter line without a full stop is an item of a list */

struct line {
    const char *text;
    size_t len;
};

struct splitter {
    struct arena *arena;
    struct passage *list;
    size_t count;
    struct passage current; /* what the next sentence belongs to */
    char *paragraph;        /* lines joined by blanks; room for all of the context */
    size_t len;
};

static struct line trimmed(const char *text, size_t len)
{
    while (len > 0 && isspace((unsigned char)*text)) {
        text++;
        len--;
    }
    while (len > 0 && isspace((unsigned char)text[len - 1])) {
        len--;
    }
    return (struct line){text, len};
}

/* "[kind:key] label" */
static bool is_header(struct line line, size_t *id_len)
{
    if (line.len < 4 || line.text[0] != '[') {
        return false;
    }
    const char *end = memchr(line.text, ']', line.len);
    if (end == NULL) {
        return false;
    }
    *id_len = (size_t)(end - line.text) - 1;
    const char *colon = memchr(line.text + 1, ':', *id_len);
    if (colon == NULL || colon == line.text + 1) {
        return false;
    }
    for (const char *p = line.text + 1; p < end; p++) {
        if (isspace((unsigned char)*p) || (p < colon && !islower((unsigned char)*p) && *p != '_')) {
            return false;
        }
    }
    return true;
}

static size_t list_marker(struct line line)
{
    static const char *const markers[] = {"- ", "* ", "+ ", "\xe2\x80\xa2 " /* bullet */};
    for (size_t i = 0; i < sizeof(markers) / sizeof(markers[0]); i++) {
        size_t len = strlen(markers[i]);
        if (line.len > len && memcmp(line.text, markers[i], len) == 0) {
            return len;
        }
    }
    return 0;
}

static bool ends_sentence(const char *text, size_t len)
{
    while (len > 0 && strchr("\"')]", text[len - 1]) != NULL) {
        len--;
    }
    return len > 0 && strchr(".!?", text[len - 1]) != NULL;
}

/* No end: initials and abbreviations ("J. Doe", "e.g. this"). */
static bool is_boundary(const char *text, size_t at, size_t len)
{
    if (strchr(".!?", text[at]) == NULL) {
        return false;
    }
    size_t next = at + 1;
    while (next < len && strchr("\"')]", text[next]) != NULL) {
        next++;
    }
    if (next == len) {
        return true;
    }
    if (text[next] != ' ' || text[at] != '.') {
        return text[next] == ' ';
    }
    bool initial = at > 0 && isupper((unsigned char)text[at - 1]) &&
                   (at == 1 || text[at - 2] == ' ' || text[at - 2] == '.');
    return !initial && !islower((unsigned char)text[next + 1]);
}

static void add_sentence(struct splitter *s, const char *text, size_t len)
{
    struct line line = trimmed(text, len);
    if (line.len == 0 || s->count == PASSAGES_MAX) {
        return;
    }
    s->current.text = arena_strndup(s->arena, line.text, line.len);
    s->list[s->count++] = s->current;
    s->current.position++;
}

static void end_paragraph(struct splitter *s)
{
    size_t from = 0;
    for (size_t at = 0; at < s->len; at++) {
        if (!is_boundary(s->paragraph, at, s->len)) {
            continue;
        }
        while (at + 1 < s->len && s->paragraph[at + 1] != ' ') {
            at++;
        }
        add_sentence(s, s->paragraph + from, at + 1 - from);
        from = at + 1;
    }
    add_sentence(s, s->paragraph + from, s->len - from);
    s->len = 0;
}

static void add_line(struct splitter *s, struct line line)
{
    if (s->len > 0) {
        s->paragraph[s->len++] = ' ';
    }
    memcpy(s->paragraph + s->len, line.text, line.len);
    s->len += line.len;
    if (line.len < SHORT_LINE || ends_sentence(line.text, line.len)) {
        end_paragraph(s);
    }
}

static void begin_snippet(struct splitter *s, struct line line, size_t id_len)
{
    struct line label = trimmed(line.text + id_len + 2, line.len - id_len - 2);
    s->current = (struct passage){.id = arena_strndup(s->arena, line.text + 1, id_len),
                                  .label = arena_strndup(s->arena, label.text, label.len),
                                  .heading = "",
                                  .snippet = s->current.snippet + 1};
}

static void take_line(struct splitter *s, struct line line)
{
    size_t id_len;
    if (line.len == 0 || (line.len == 3 && memcmp(line.text, "---", 3) == 0)) {
        end_paragraph(s);
    } else if (is_header(line, &id_len)) {
        end_paragraph(s);
        begin_snippet(s, line, id_len);
    } else if (line.text[0] == '#' || (line.text[line.len - 1] == ':' && line.len < SHORT_LINE)) {
        end_paragraph(s);
        size_t marks = strspn(line.text, "# ");
        marks = marks < line.len ? marks : line.len;
        s->current.heading = arena_strndup(s->arena, line.text + marks, line.len - marks);
    } else {
        size_t marker = list_marker(line);
        if (marker > 0) {
            end_paragraph(s);
        }
        add_line(s, (struct line){line.text + marker, line.len - marker});
    }
}

size_t passages_of(struct arena *a, const char *context, struct passage list[PASSAGES_MAX])
{
    size_t len = strlen(context);
    struct splitter s = {.arena = a,
                         .list = list,
                         .current = {.label = "", .heading = ""},
                         .paragraph = arena_alloc(a, 2 * len + 1)};
    for (const char *at = context, *end = context + len; at < end && s.count < PASSAGES_MAX;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;
        take_line(&s, trimmed(at, (size_t)(stop - at)));
        at = stop + 1;
    }
    end_paragraph(&s);
    return s.count;
}
