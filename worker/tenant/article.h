/*
 * Article: a Markdown text cut along its headings into sections, the unit that is
 * searched, sent to the model and cited. Pure.
 */
#ifndef FD_TENANT_ARTICLE_H
#define FD_TENANT_ARTICLE_H

#include "core/arena.h"

#include <stdbool.h>
#include <stddef.h>

#define ARTICLE_MAX          262144 /* bytes of a whole article */
#define ARTICLE_SECTION_MAX  1600   /* bytes of a section's body: one chunk takes several */
#define ARTICLE_SECTIONS_MAX 400
#define ARTICLE_LABEL_MAX    200 /* bytes of a heading that are kept */
#define ARTICLE_SLUG_MAX     80

struct article_section {
    const char *slug;  /* the article's, then "<slug>-2", "<slug>-3", ... */
    const char *label; /* "Title", or "Title - Heading" */
    const char *body;
};

struct article {
    const char *slug;
    const char *title; /* the first heading, else the slug */
    const char *body;  /* the text without its title */
    struct article_section *sections;
    size_t section_count;
};

/* Headings are ATX ones (# to ######) outside fenced code. A section that is too long
 * is cut at a paragraph, a line or a sentence, never inside a character. False: not
 * UTF-8, empty, or beyond a bound; error says which. */
bool article_split(struct arena *a, const char *slug, const char *markdown, size_t len,
                   struct article *article, char error[128]);
/* Lower-case letters, digits and single hyphens. */
bool article_slug_valid(const char *slug);

#endif
