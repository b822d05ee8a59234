/* Line: a short text for a person or a model, built piece by piece in a buffer of fixed
 * size. What does not fit is left out; a character is never cut. */
#ifndef FD_TOOL_LINE_H
#define FD_TOOL_LINE_H

#include <stddef.h>

struct line {
    char *out; /* NUL terminated after every call */
    size_t size;
    size_t len;
};

void line_init(struct line *line, char *out, size_t size); /* size > 0 */
void line_add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* How much of a text is at most `max` bytes and whole characters: for "%.*s". */
int line_cut(const char *text, size_t max);
/* At most `max` bytes of a stranger's text, white space and control characters as one
 * blank, "..." where it was cut. */
void line_quote(struct line *line, const char *text, size_t len, size_t max);

#endif
