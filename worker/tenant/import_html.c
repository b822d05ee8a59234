/* A page as Markdown: its headings, paragraphs, lists and rows; scripts, styles, menus and
 * controls are left out. */
#include "tenant/import_format.h"

#include "core/utf8.h"
#include "tenant/article.h"
#include "tenant/html.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LISTS_MAX  6
#define CELL_BYTES 200 /* a row with more is a page's layout, not data */

struct page {
    struct html_reader reader;
    struct buf *out;
    struct buf line;  /* being written */
    struct buf title; /* of <title> */
    const char *h1;   /* the first */
    struct arena *arena;
    int heading; /* 1 to 6 in one */
    int lists;   /* open ones */
    int pre;     /* open ones */
    bool item;   /* a list\'s mark is due before the next character */
    bool cell;   /* in a row of a table */
    bool space;  /* one is due before the next character */
    bool gap;    /* a blank line is due before the next line */
};

static bool is_space(uint32_t code)
{
    return code == ' ' || code == '\t' || code == '\n' || code == '\r' || code == '\f' ||
           code == 0xA0;
}

/* -- lines --------------------------------------------------------------------------- */

static void end_heading(struct page *p)
{
    static const char marks[] = "###### ";

    if (p->heading == 1 && p->h1 == NULL) {
        p->h1 = arena_strndup(p->arena, p->line.data, p->line.len);
        return;
    }
    buf_puts(p->out, p->out->len > 0 ? "\n" : "");
    buf_puts(p->out, marks + 6 - p->heading);
    buf_append(p->out, p->line.data, p->line.len);
    buf_puts(p->out, "\n");
    p->gap = true;
}

static void end_line(struct page *p)
{
    while (p->line.len > 0 && p->line.data[p->line.len - 1] == ' ')
        p->line.len--;
    if (p->line.len > 0 && p->heading > 0) {
        end_heading(p);
    } else if (p->line.len > 0) {
        if (p->gap && p->out->len > 0)
            buf_puts(p->out, "\n");
        p->gap = false;
        import_put_line(p->out, p->line.data, p->line.len);
    }
    buf_reset(&p->line);
    p->space = false;
}

static void end_block(struct page *p)
{
    if (p->cell && p->line.len < CELL_BYTES) {
        p->space = true;
        return;
    }
    end_line(p);
    p->gap = true;
}

static void put_item_mark(struct page *p)
{
    for (int i = 1; i < p->lists && i < LISTS_MAX; i++)
        buf_puts(&p->line, "  ");
    buf_puts(&p->line, "- ");
    p->item = false;
}

static void put_char(struct page *p, uint32_t code)
{
    char bytes[4];

    if (p->pre > 0 && code == '\n' && p->heading == 0) {
        end_line(p);
    } else if (is_space(code) && (p->pre == 0 || p->heading > 0)) {
        p->space = true;
    } else if (code >= 0x20 && code != 0xAD && (code < 0x7F || code > 0x9F)) {
        if (p->item && p->heading == 0)
            put_item_mark(p);
        else if (p->space && p->line.len > 0)
            buf_puts(&p->line, " ");
        p->space = false;
        buf_append(&p->line, bytes, utf8_put(bytes, code));
    }
}

static void put_text(struct page *p, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        uint32_t code = *text == '&' ? html_reference(&text, end) : 0;
        put_char(p, code != 0 ? code : utf8_next(&text, end));
    }
}

/* -- elements ------------------------------------------------------------------------- */

enum kind { INLINE, BLOCK, BREAK, HEADING, LIST, ITEM, ROW, CELL, PRE, TITLE, DROPPED, CODE };

static const struct element {
    const char *name;
    enum kind kind;
} elements[] = {
    {"h1", HEADING},       {"h2", HEADING},       {"h3", HEADING},       {"h4", HEADING},
    {"h5", HEADING},       {"h6", HEADING},       {"summary", HEADING},  {"p", BLOCK},
    {"div", BLOCK},        {"section", BLOCK},    {"article", BLOCK},    {"main", BLOCK},
    {"header", BLOCK},     {"footer", BLOCK},     {"aside", BLOCK},      {"table", BLOCK},
    {"blockquote", BLOCK}, {"figure", BLOCK},     {"figcaption", BLOCK}, {"address", BLOCK},
    {"form", BLOCK},       {"fieldset", BLOCK},   {"details", BLOCK},    {"dl", BLOCK},
    {"hr", BLOCK},         {"body", BLOCK},       {"center", BLOCK},     {"caption", BLOCK},
    {"dt", BREAK},         {"dd", BREAK},         {"br", BREAK},         {"option", BREAK},
    {"legend", BREAK},     {"label", BREAK},      {"ul", LIST},          {"ol", LIST},
    {"menu", LIST},        {"li", ITEM},          {"tr", ROW},           {"td", CELL},
    {"th", CELL},          {"pre", PRE},          {"title", TITLE},      {"script", CODE},
    {"style", CODE},       {"template", DROPPED}, {"noscript", DROPPED}, {"nav", DROPPED},
    {"svg", DROPPED},      {"math", DROPPED},     {"iframe", DROPPED},   {"object", DROPPED},
    {"canvas", DROPPED},   {"audio", DROPPED},    {"video", DROPPED},    {"select", DROPPED},
    {"button", DROPPED},   {"textarea", DROPPED}, {"noframes", DROPPED}, {"noembed", DROPPED},
};

static enum kind kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof(elements) / sizeof(*elements); i++) {
        if (strcmp(elements[i].name, name) == 0)
            return elements[i].kind;
    }
    return INLINE;
}

/* One that was never ended ends where a block begins. */
static void leave_heading(struct page *p)
{
    if (p->heading > 0 && p->line.len > 0) {
        end_line(p);
        p->heading = 0;
    }
}

static void begin_heading(struct page *p, const char *name)
{
    if (p->heading > 0 && p->line.len == 0) /* <summary><h3> */
        return;
    end_line(p);
    p->cell = false;
    p->heading = name[0] == 'h' ? name[1] - '0' : 3;
}

static void take_title(struct page *p)
{
    const char *stop = html_find_end(&p->reader, "title");

    if (stop == NULL)
        return;
    if (p->title.len == 0) {
        struct page words = {.line = p->title};
        put_text(&words, p->reader.at, (size_t)(stop - p->reader.at));
        p->title = words.line;
    }
    p->reader.at = stop;
}

/* What never ends is not left out, or the rest of the page would be; but code is. */
static void drop(struct page *p, const char *name, enum kind kind)
{
    if (kind == DROPPED && p->reader.at[-1] == '>' && p->reader.at[-2] == '/')
        return; /* <svg ... /> */
    const char *stop = html_find_end(&p->reader, name);

    if (stop != NULL || kind == CODE)
        p->reader.at = stop != NULL ? stop : p->reader.end;
}

static void start(struct page *p, const char *name)
{
    enum kind kind = kind_of(name);

    switch (kind) {
    case HEADING: begin_heading(p, name); break;
    case BLOCK:
        leave_heading(p);
        end_block(p);
        break;
    case BREAK: end_line(p); break;
    case LIST:
        leave_heading(p);
        end_line(p);
        p->gap = p->gap || p->lists == 0;
        p->lists++;
        break;
    case ITEM:
        end_line(p);
        p->item = true;
        break;
    case ROW:
        end_line(p);
        p->cell = true;
        break;
    case CELL:
        if (p->line.len > 0)
            buf_puts(&p->line, " |");
        p->space = p->line.len > 0;
        break;
    case PRE:
        end_block(p);
        p->pre++;
        break;
    case TITLE: take_title(p); break;
    case DROPPED:
    case CODE: drop(p, name, kind); break;
    case INLINE: break;
    }
}

static void end(struct page *p, const char *name)
{
    switch (kind_of(name)) {
    case HEADING:
        end_line(p);
        p->heading = 0;
        break;
    case BLOCK:
        p->cell = p->cell && strcmp(name, "table") != 0;
        end_block(p);
        break;
    case LIST:
        end_line(p);
        p->lists -= p->lists > 0;
        p->gap = p->gap || p->lists == 0;
        break;
    case ROW:
        end_line(p);
        p->cell = false;
        break;
    case PRE:
        end_line(p);
        p->pre -= p->pre > 0;
        p->gap = true;
        break;
    case ITEM:
        p->item = false;
        end_line(p);
        break;
    case BREAK: end_line(p); break;
    default: break;
    }
}

bool import_looks_html(const char *text, size_t len)
{
    static const char *const beginnings[] = {
        "<!doctype html", "<html", "<head", "<body", "<!--", "<h1", "<div", "<p>", "<table"};

    while (len > 0 && strchr(" \t\n", *text) != NULL && *text != '\0') {
        text++;
        len--;
    }
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
        size_t size = strlen(beginnings[i]);
        if (len >= size && strncasecmp(text, beginnings[i], size) == 0)
            return true;
    }
    return false;
}

bool import_html(struct arena *a, const char *text, size_t len, struct buf *out, const char **title,
                 char error[IMPORT_ERROR_SIZE])
{
    struct page p = {.out = out, .arena = a};
    struct html_token token;
    bool tags = false;

    html_reader_init(&p.reader, text, len);
    buf_init(&p.line, ARTICLE_MAX);
    buf_init(&p.title, ARTICLE_MAX);
    while (html_next(&p.reader, &token)) {
        tags = tags || token.type != HTML_TEXT;
        if (token.type == HTML_TEXT)
            put_text(&p, token.text, token.len);
        else if (token.type == HTML_START)
            start(&p, token.name);
        else
            end(&p, token.name);
    }
    end_line(&p);
    *title = p.h1 != NULL      ? p.h1
             : p.title.len > 0 ? arena_strndup(a, p.title.data, p.title.len)
                               : NULL;
    out->over = out->over || p.line.over;
    buf_free(&p.line);
    buf_free(&p.title);
    if (!tags)
        snprintf(error, IMPORT_ERROR_SIZE, "it is said to be HTML, but has no tag");
    return tags;
}
