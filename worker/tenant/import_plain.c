/* Text without any marks: whatever a line looks like, it is text. */
#include "tenant/import_format.h"

#include <string.h>

/* What article.h would take for a heading or a fence (CommonMark 0.31, 4.2 and 4.5). */
static bool has_meaning(const char *line, size_t len)
{
    static const char *const marks[] = {"#", "```", "~~~"};
    size_t indent = 0;

    while (indent < len && indent < 3 && line[indent] == ' ')
        indent++;
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
        size_t size = strlen(marks[i]);
        if (len - indent >= size && memcmp(line + indent, marks[i], size) == 0)
            return true;
    }
    return false;
}

void import_put_line(struct buf *out, const char *line, size_t len)
{
    if (has_meaning(line, len)) {
        size_t indent = 0;
        while (line[indent] == ' ')
            indent++;
        buf_puts(out, "\\");
        line += indent;
        len -= indent;
    }
    buf_append(out, line, len);
    buf_puts(out, "\n");
}

void import_plain(const char *text, size_t len, struct buf *out)
{
    const char *end = text + len;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline != NULL ? newline : end;
        import_put_line(out, text, (size_t)(stop - text));
        text = stop + 1;
    }
}
