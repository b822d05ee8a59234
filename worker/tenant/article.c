#include "tenant/article.h"

#include <stdio.h>
#include <string.h>

struct span {
    const char *start;
    const char *end;
};

struct splitter {
    struct arena *a;
    struct article *article;
    bool full; /* more sections than there may be */
};

bool article_slug_valid(const char *slug)
{
    size_t len = strlen(slug);
    bool hyphen = true; /* none at the start */

    for (size_t i = 0; i < len; i++) {
        bool letter = (slug[i] >= 'a' && slug[i] <= 'z') || (slug[i] >= '0' && slug[i] <= '9');
        if (!letter && (slug[i] != '-' || hyphen)) {
            return false;
        }
        hyphen = !letter;
    }
    return len > 0 && len <= ARTICLE_SLUG_MAX && !hyphen;
}

bool article_slug_of(const char *name, size_t len, char slug[ARTICLE_SLUG_MAX + 1])
{
    size_t n = 0;

    for (size_t i = 0; i < len && n < ARTICLE_SLUG_MAX; i++) {
        char c = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            slug[n++] = c;
        } else if (n > 0 && slug[n - 1] != '-') {
            slug[n++] = '-';
        }
    }
    n -= n > 0 && slug[n - 1] == '-';
    slug[n] = '\0';
    return n > 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim(struct span s)
{
    while (s.start < s.end && is_space(*s.start)) {
        s.start++;
    }
    while (s.end > s.start && is_space(s.end[-1])) {
        s.end--;
    }
    return s;
}

/* The start of the UTF-8 character that `at` lies in. */
static const char *character_start(const char *from, const char *at)
{
    while (at > from && ((unsigned char)*at & 0xC0) == 0x80) {
        at--;
    }
    return at;
}

static struct span next_line(const char **at, const char *end)
{
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    struct span line = {*at, newline != NULL ? newline : end};
    *at = newline != NULL ? newline + 1 : end;
    return line;
}

/* Up to three spaces of indent are allowed (CommonMark 0.31, sections 4.2 and 4.5). */
static struct span unindent(struct span line)
{
    for (int i = 0; i < 3 && line.start < line.end && *line.start == ' '; i++) {
        line.start++;
    }
    return line;
}

static size_t run_of(struct span line, char c)
{
    size_t n = 0;
    while (line.start + n < line.end && line.start[n] == c) {
        n++;
    }
    return n;
}

/* "## Heading ##": its text and level; 0 where the line is no heading. */
static size_t heading_of(struct span line, struct span *text)
{
    line = unindent(line);
    size_t level = run_of(line, '#');
    const char *after = line.start + level;

    if (level == 0 || level > 6 || (after < line.end && !is_space(*after))) {
        return 0;
    }
    *text = trim((struct span){after, line.end});
    const char *closing = text->end;
    while (closing > text->start && closing[-1] == '#') {
        closing--;
    }
    if (closing == text->start || is_space(closing[-1])) {
        *text = trim((struct span){text->start, closing});
    }
    if (text->end - text->start > ARTICLE_LABEL_MAX) {
        text->end = character_start(text->start, text->start + ARTICLE_LABEL_MAX);
    }
    return level;
}

/* Follows ``` and ~~~ fences: '\0' outside, else the fence's character. */
struct fence {
    char mark;
    size_t length;
};

static void follow_fence(struct fence *fence, struct span line)
{
    line = unindent(line);
    char mark = line.start < line.end ? *line.start : '\0';
    size_t length = mark == '`' || mark == '~' ? run_of(line, mark) : 0;

    if (length < 3) {
        return;
    }
    if (fence->mark == '\0') {
        *fence = (struct fence){mark, length};
    } else if (mark == fence->mark && length >= fence->length) {
        fence->mark = '\0';
    }
}

/* Where a body that is too long is cut: after a paragraph, else a line, else a
 * sentence, else a word, in its second half; else before the bound's character. */
static const char *cut_point(struct span body)
{
    static const char *const ends[] = {"\n\n", "\n", ". ", "! ", "? ", " "};
    const char *bound = body.start + ARTICLE_SECTION_MAX;
    const char *least = body.start + ARTICLE_SECTION_MAX / 2;

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t len = strlen(ends[i]);
        for (const char *at = bound - len; at >= least; at--) {
            if (memcmp(at, ends[i], len) == 0) {
                return at + len;
            }
        }
    }
    return character_start(body.start, bound);
}

static void add_section(struct splitter *s, struct span heading, struct span body)
{
    struct article *article = s->article;
    if (article->section_count == ARTICLE_SECTIONS_MAX) {
        s->full = true;
        return;
    }
    struct article_section *section = &article->sections[article->section_count++];
    section->slug = article->section_count == 1
                        ? article->slug
                        : arena_printf(s->a, "%s.%zu", article->slug, article->section_count);
    int len = (int)(heading.end - heading.start);
    section->label = len > 0 ? arena_printf(s->a, "%s - %.*s", article->title, len, heading.start)
                             : article->title;
    section->body = arena_strndup(s->a, body.start, (size_t)(body.end - body.start));
}

static void add_body(struct splitter *s, struct span heading, struct span body)
{
    body = trim(body);
    while (body.end - body.start > ARTICLE_SECTION_MAX && !s->full) {
        const char *cut = cut_point(body);
        add_section(s, heading, trim((struct span){body.start, cut}));
        body = trim((struct span){cut, body.end});
    }
    if (body.start < body.end) {
        add_section(s, heading, body);
    }
}

/* The first line that says something, if it is a heading, is the title, unless another
 * was given. */
static const char *take_title(struct arena *a, const char *slug, const char *given,
                              struct span *text)
{
    struct span title;
    const char *at = text->start;

    struct span line = next_line(&at, text->end);
    if (heading_of(line, &title) == 0 || title.start == title.end) {
        return given != NULL ? given : slug;
    }
    const char *own = arena_strndup(a, title.start, (size_t)(title.end - title.start));
    if (given != NULL && strcmp(own, given) != 0) {
        return given;
    }
    text->start = at;
    return own;
}

bool article_split(struct arena *a, const char *slug, const char *title, const char *markdown,
                   size_t len, struct article *article, char error[128])
{
    struct splitter s = {.a = a, .article = article};
    struct span text = {markdown, markdown + len};
    struct span heading = {markdown, markdown}, next_heading;
    struct fence fence = {0};

    *article = (struct article){0};
    if (!article_slug_valid(slug)) {
        snprintf(error, 128, "its name is lower-case letters, digits and hyphens, at most %d",
                 ARTICLE_SLUG_MAX);
        return false;
    }
    if (len > ARTICLE_MAX || memchr(markdown, '\0', len) != NULL || !fd_utf8_valid(markdown, len)) {
        snprintf(error, 128, "it is not UTF-8 text of at most %d bytes", ARTICLE_MAX);
        return false;
    }
    if (len >= 3 && memcmp(markdown, "\xEF\xBB\xBF", 3) == 0) {
        text.start += 3;
    }
    text = trim(text);
    article->slug = arena_strdup(a, slug);
    article->title = arena_strdup(a, take_title(a, article->slug, title, &text));
    text = trim(text);
    article->body = arena_strndup(a, text.start, (size_t)(text.end - text.start));
    article->sections = arena_alloc(a, ARTICLE_SECTIONS_MAX * sizeof(*article->sections));

    const char *body = text.start;
    for (const char *at = text.start; at < text.end;) {
        struct span line = next_line(&at, text.end);
        if (fence.mark == '\0' && heading_of(line, &next_heading) > 0) {
            add_body(&s, heading, (struct span){body, line.start});
            heading = next_heading;
            body = at;
        } else {
            follow_fence(&fence, line);
        }
    }
    add_body(&s, heading, (struct span){body, text.end});
    if (s.full) {
        snprintf(error, 128, "it has more than %d sections", ARTICLE_SECTIONS_MAX);
        return false;
    }
    if (article->section_count == 0) {
        snprintf(error, 128, "it has no text");
        return false;
    }
    return true;
}
