#include "tool/line.h"

#include "core/utf8.h"
#include "protocol/json.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void line_init(struct line *line, char *out, size_t size)
{
    *line = (struct line){.out = out, .size = size};
    out[0] = '\0';
}

void line_add(struct line *line, const char *format, ...)
{
    size_t from = line->len, room = line->size - line->len;
    va_list args;

    va_start(args, format);
    int written = vsnprintf(line->out + from, room, format, args);
    va_end(args);
    if (written < 0)
        return;
    if ((size_t)written < room) {
        line->len += (size_t)written;
        return;
    }
    line->len = line->size - 1;
    for (int i = 0; i < 3 && line->len > from; i++) {
        if (fd_utf8_valid(line->out + from, line->len - from))
            break;
        line->out[--line->len] = '\0';
    }
}

int line_cut(const char *text, size_t max)
{
    return (int)utf8_floor(text, strlen(text), max);
}

void line_quote(struct line *line, const char *text, size_t len, size_t max)
{
    const char *at = text, *end = text + len;
    size_t room = line->size - line->len;

    if (room > sizeof("..."))
        room -= sizeof("...") - 1;
    line->len += utf8_line(line->out + line->len, max < room ? max + 1 : room, &at, end);
    if (at < end)
        line_add(line, "...");
}
