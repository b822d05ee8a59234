#include "tool/plain.h"

#include "core/utf8.h"
#include "tenant/html.h"

#include <string.h>
#include <strings.h>

struct writer {
    struct buf *out;
    bool blank; /* white space is due before the next character */
    bool line;  /* as the end of a line */
};

static void put(struct writer *w, uint32_t code)
{
    char bytes[4];

    if (code <= ' ' || (code >= 0x7f && code < 0xa1)) {
        w->blank = true;
        return;
    }
    if ((w->blank || w->line) && w->out->len > 0)
        buf_append(w->out, w->line ? "\n" : " ", 1);
    w->blank = w->line = false;
    buf_append(w->out, bytes, utf8_put(bytes, code));
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static void take_tag(struct writer *w, struct html_reader *reader, const struct html_token *token)
{
    static const char *const silent[] = {"script", "style", "head", "template", "svg"};
    static const char *const inlined[] = {"a",    "b",   "i",   "u",   "em",    "strong", "span",
                                          "code", "img", "sub", "sup", "small", "td",     "th"};

    if (token->type == HTML_START && is_one_of(token->name, silent, 5)) {
        const char *end = html_find_end(reader, token->name);
        reader->at = end != NULL ? end : reader->end;
    }
    if (is_one_of(token->name, inlined, sizeof(inlined) / sizeof(inlined[0])))
        w->blank = w->blank || strcmp(token->name, "td") == 0 || strcmp(token->name, "th") == 0;
    else
        w->line = true;
}

void plain_of_html(struct buf *out, const char *html, size_t len)
{
    struct writer w = {.out = out};
    struct html_reader reader;
    struct html_token token;

    html_reader_init(&reader, html, len);
    while (html_next(&reader, &token) && !out->over) {
        if (token.type != HTML_TEXT) {
            take_tag(&w, &reader, &token);
            continue;
        }
        for (const char *at = token.text, *end = at + token.len; at < end;) {
            uint32_t code = *at == '&' ? html_reference(&at, end) : 0;
            put(&w, code != 0 ? code : utf8_next(&at, end));
        }
    }
}

void plain_of_text(struct buf *out, const char *text, size_t len)
{
    struct writer w = {.out = out};

    for (const char *at = text, *end = text + len; at < end && !out->over;) {
        uint32_t code = utf8_next(&at, end);
        w.line = w.line || code == '\n';
        put(&w, code);
    }
}

bool plain_is_html(const char *content_type, const char *body, size_t len)
{
    size_t blank = 0;

    while (blank < len && strchr(" \t\r\n", body[blank]) != NULL)
        blank++;
    return strncasecmp(content_type, "text/html", 9) == 0 ||
           (len - blank >= 9 && strncasecmp(body + blank, "<!doctype", 9) == 0) ||
           (len - blank >= 5 && strncasecmp(body + blank, "<html", 5) == 0);
}
