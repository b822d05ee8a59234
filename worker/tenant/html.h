/*
 * Html: the tags and the text of a page, leniently: what a browser would show, nearly,
 * without building a tree. Linear in the page's length whatever it has; pure.
 */
#ifndef FD_TENANT_HTML_H
#define FD_TENANT_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTML_NAME_MAX 15

enum html_token_type { HTML_TEXT, HTML_START, HTML_END };

struct html_token {
    enum html_token_type type;
    const char *text; /* of HTML_TEXT: character references are still in it */
    size_t len;
    char name[HTML_NAME_MAX + 1]; /* of a tag, in lower case; "" where it is longer */
};

#define HTML_SKIPS_MAX 24

struct html_reader {
    const char *at, *end;
    struct html_skip {
        char name[HTML_NAME_MAX + 1];
        const char *next_end; /* its next end tag from where it was looked for; end: none */
    } skips[HTML_SKIPS_MAX];
    size_t skip_count;
};

void html_reader_init(struct html_reader *reader, const char *text, size_t len);
/* False: the page is over. Comments, doctypes and attributes are passed over. */
bool html_next(struct html_reader *reader, struct html_token *token);
/* Where the next end tag of an element begins, NULL where there is none. At most
 * HTML_SKIPS_MAX different names. */
const char *html_find_end(struct html_reader *reader, const char *name);

/* The character that the reference at *at (a '&') stands for, *at moved behind it; 0: it is
 * none, and stays. */
uint32_t html_reference(const char **at, const char *end);

#endif
