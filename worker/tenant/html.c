#define _GNU_SOURCE /* memmem */
#include "tenant/html.h"

#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

void html_reader_init(struct html_reader *reader, const char *text, size_t len)
{
    *reader = (struct html_reader){.at = text, .end = text + len};
}

/* "<", and what makes it more than a character of the text. */
static bool begins_markup(const char *at, const char *end)
{
    if (end - at < 2)
        return false;
    return is_letter(at[1]) || at[1] == '!' || at[1] == '?' ||
           (at[1] == '/' && end - at > 2 && is_letter(at[2]));
}

/* Behind the comment, doctype or processing instruction at `at`. */
static const char *after_comment(const char *at, const char *end)
{
    const char *close;

    if (end - at >= 4 && memcmp(at, "<!--", 4) == 0) {
        close = memmem(at + 4, (size_t)(end - at - 4), "-->", 3);
        return close != NULL ? close + 3 : end;
    }
    close = memchr(at, '>', (size_t)(end - at));
    return close != NULL ? close + 1 : end;
}

/* Behind the ">" of a tag; quotes count only where an attribute's value begins. */
static const char *after_attributes(const char *at, const char *end)
{
    while (at < end && *at != '>') {
        if (*at++ != '=')
            continue;
        while (at < end && is_space(*at))
            at++;
        if (at < end && (*at == '"' || *at == '\'')) {
            const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));
            at = close != NULL ? close + 1 : end;
        }
    }
    return at < end ? at + 1 : end;
}

static void read_tag(struct html_reader *r, struct html_token *token)
{
    const char *at = r->at + 1;
    size_t len = 0;

    token->type = *at == '/' ? HTML_END : HTML_START;
    at += *at == '/';
    while (at < r->end && *at != '>' && *at != '/' && !is_space(*at)) {
        if (len <= HTML_NAME_MAX)
            token->name[len++] = lower(*at);
        at++;
    }
    token->name[len <= HTML_NAME_MAX ? len : 0] = '\0';
    r->at = after_attributes(at, r->end);
}

bool html_next(struct html_reader *r, struct html_token *token)
{
    while (r->at < r->end && *r->at == '<' && begins_markup(r->at, r->end)) {
        if (r->at[1] != '!' && r->at[1] != '?') {
            read_tag(r, token);
            return true;
        }
        r->at = after_comment(r->at, r->end);
    }
    if (r->at == r->end)
        return false;
    token->type = HTML_TEXT;
    token->text = r->at;
    do {
        const char *next = memchr(r->at + 1, '<', (size_t)(r->end - r->at - 1));
        r->at = next != NULL ? next : r->end;
    } while (r->at < r->end && !begins_markup(r->at, r->end));
    token->len = (size_t)(r->at - token->text);
    return true;
}

static const char *search_end(const char *at, const char *end, const char *name)
{
    size_t len = strlen(name);

    while ((at = memmem(at, (size_t)(end - at), "</", 2)) != NULL) {
        const char *p = at + 2;
        size_t same = 0;
        while (same < len && p + same < end && lower(p[same]) == name[same])
            same++;
        p += same;
        if (same == len && (p == end || is_space(*p) || *p == '>' || *p == '/'))
            return at;
        at += 2;
    }
    return end;
}

/* What was found is kept, so that a page of opening tags alone is searched once. */
const char *html_find_end(struct html_reader *r, const char *name)
{
    struct html_skip *skip = r->skips;

    while (skip < r->skips + r->skip_count && strcmp(skip->name, name) != 0)
        skip++;
    if (skip == r->skips + HTML_SKIPS_MAX)
        return NULL;
    if (skip == r->skips + r->skip_count) {
        r->skip_count++;
        strncpy(skip->name, name, HTML_NAME_MAX);
        skip->next_end = r->at;
    }
    if (skip->next_end <= r->at)
        skip->next_end = search_end(r->at, r->end, name);
    return skip->next_end < r->end ? skip->next_end : NULL;
}
