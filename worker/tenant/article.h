/*
 * Article: a Markdown text cut along its headings into sections, the unit that is
 * searched, sent to the model and cited. Pure.
 */
#ifndef FD_TENANT_ARTICLE_H
#define FD_TENANT_ARTICLE_H

#include "core/arena.h"

#include <stdbool.h>
#include <stddef.h>

#define ARTICLE_MAX          1048576 /* bytes of a whole article */
#define ARTICLE_SECTION_MAX  1600    /* bytes of a section's body: one chunk takes several */
#define ARTICLE_SECTIONS_MAX 2000
#define ARTICLE_LABEL_MAX    200 /* bytes of a heading that are kept */
#define ARTICLE_SLUG_MAX     80

struct article_section {
    const char *slug; /* the article's, then "<slug>.2", "<slug>.3", ...: no article is called so */
    const char *label; /* "Title", or "Title - Heading" */
    const char *body;
};

struct article {
    const char *slug;
    const char *title; /* as given, else the first heading, else the slug */
    const char *body;  /* the text without its title */
    struct article_section *sections;
    size_t section_count;
};

/* Headings are ATX ones (# to ######) outside fenced code. A section that is too long
 * is cut at a paragraph, a line or a sentence, never inside a character. `title` NULL:
 * the text's own. False: not UTF-8, empty, or beyond a bound; error says which. */
bool article_split(struct arena *a, const char *slug, const char *title, const char *markdown,
                   size_t len, struct article *article, char error[128]);
/* A name that is a slug: of the letters and digits in it ("Opening hours.md" becomes
 * "opening-hours-md"). False: it has none. */
bool article_slug_of(const char *name, size_t len, char slug[ARTICLE_SLUG_MAX + 1]);
/* Lower-case letters, digits and single hyphens. */
bool article_slug_valid(const char *slug);

#endif
