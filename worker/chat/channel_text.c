#include "chat/channel_text.h"

#include "core/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* -- plain ---------------------------------------------------------------------------------- */

/* A line of the text, and where it goes. */
struct line {
    struct buf *out;
    const char *at, *end;
    size_t from; /* in `out` */
};

static bool begins(const struct line *l, const char *with)
{
    size_t len = strlen(with);

    return (size_t)(l->end - l->at) >= len && memcmp(l->at, with, len) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

static void put(struct line *l, const char *s, size_t len)
{
    for (const char *end = s + len; s < end;) {
        char bytes[4];
        uint32_t code = utf8_next(&s, end);

        if (code >= ' ' && code != 0x7f)
            buf_append(l->out, bytes, utf8_put(bytes, code));
        else if (code == '\t')
            buf_append(l->out, " ", 1);
    }
}

/* "[article:returns]": a source, by its kind and id. */
static bool skip_source(struct line *l)
{
    static const char *const kinds[] = {
        "[article:", "[order:", "[deal:", "[contact:", "[company:", "[activity:"};
    const char *close = memchr(l->at, ']', (size_t)(l->end - l->at));

    for (size_t i = 0; close != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!begins(l, kinds[i]))
            continue;
        l->at = close + 1;
        if (l->out->len > l->from && l->out->data[l->out->len - 1] == ' ')
            l->out->len--;
        return true;
    }
    return false;
}

/* "[text](address)" becomes "text (address)", or the address alone where they are the same. */
static bool take_link(struct line *l)
{
    const char *close = memchr(l->at, ']', (size_t)(l->end - l->at));
    bool is_link = close != NULL && close + 1 < l->end && close[1] == '(';
    const char *last = is_link ? memchr(close, ')', (size_t)(l->end - close)) : NULL;

    if (last == NULL)
        return false;
    const char *text = l->at + 1, *address = close + 2;
    size_t text_len = (size_t)(close - text), address_len = (size_t)(last - address);
    bool same = text_len == address_len && memcmp(text, address, text_len) == 0;
    put(l, text, text_len);
    if (!same && address_len > 0) {
        put(l, text_len > 0 ? " (" : "(", text_len > 0 ? 2 : 1);
        put(l, address, address_len);
        put(l, ")", 1);
    }
    l->at = last + 1;
    return true;
}

/* Of *, _, ` and ~, as many as stand together: a mark, if it touches a word on one side only. */
static void take_mark(struct line *l, const char *begin)
{
    char mark = *l->at;
    const char *from = l->at;

    while (l->at < l->end && *l->at == mark)
        l->at++;
    bool left = from > begin && is_word(from[-1]), right = l->at < l->end && is_word(*l->at);
    bool alone = (from == begin || is_blank(from[-1])) && (l->at == l->end || is_blank(*l->at));
    if (mark != '`' &&
        (alone || (mark == '_' && left && right) || (mark == '~' && l->at - from < 2)))
        put(l, from, (size_t)(l->at - from));
}

static void take_inline(struct line *l)
{
    static const char escapable[] = "\\`*_{}[]()#+-.!~|>";
    const char *begin = l->at;

    while (l->at < l->end) {
        const char *next = l->at;
        if (*l->at == '\\' && l->at + 1 < l->end && strchr(escapable, l->at[1]) != NULL) {
            put(l, l->at + 1, 1);
            l->at += 2;
        } else if (begins(l, "![") && (l->at++, take_link(l))) {
            continue;
        } else if (*l->at == '[' && (skip_source(l) || take_link(l))) {
            continue;
        } else if (strchr("*_`~", *l->at) != NULL) {
            take_mark(l, begin);
        } else {
            utf8_next(&next, l->end);
            put(l, l->at, (size_t)(next - l->at));
            l->at = next;
        }
    }
}

/* "|---|:--|", "---" and "***": lines that only draw. */
static bool only_draws(const struct line *l)
{
    size_t strokes = 0;

    for (const char *at = l->at; at < l->end; at++) {
        if (strchr("|-:*_= \t", *at) == NULL)
            return false;
        strokes += !is_blank(*at);
    }
    return strokes >= 3;
}

static void skip_marks(struct line *l)
{
    const char *at = l->at;

    while (begins(l, ">"))
        for (l->at++; l->at < l->end && is_blank(*l->at);)
            l->at++;
    for (at = l->at; at < l->end && *at == '#';)
        at++;
    if (at > l->at && at - l->at <= 6 && at < l->end && is_blank(*at)) {
        l->at = at + 1;
        while (l->end > l->at && (l->end[-1] == '#' || is_blank(l->end[-1])))
            l->end--;
    }
    while (begins(l, "  ")) {
        put(l, "  ", 2);
        l->at += 2;
    }
    if (begins(l, "* ") || begins(l, "+ ")) {
        put(l, "- ", 2);
        l->at += 2;
    } else if (begins(l, "|") && l->end[-1] == '|' && l->end - l->at > 1) {
        l->at++;
        l->end--;
    }
}

/* False: nothing of it is shown. */
static bool take_line(struct line *l, bool *code)
{
    struct line bare = *l;

    while (bare.at < bare.end && is_blank(*bare.at))
        bare.at++;
    if (begins(&bare, "```")) {
        *code = !*code;
        return false;
    }
    if (*code) {
        put(l, l->at, (size_t)(l->end - l->at));
        return true;
    }
    if (only_draws(l))
        return false;
    skip_marks(l);
    take_inline(l);
    return true;
}

static void end_line(struct buf *out, size_t from)
{
    while (out->len > from && is_blank(out->data[out->len - 1]))
        out->len--;
    bool empty = out->len == from;
    bool second = out->len >= 2 && memcmp(out->data + out->len - 2, "\n\n", 2) == 0;
    if (out->len > 0 && !(empty && second))
        buf_append(out, "\n", 1);
}

void channel_text_plain(struct buf *out, const char *markdown, size_t len)
{
    const char *end = markdown + len;
    bool code = false;

    for (const char *at = markdown; at < end && !out->over;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *next = stop != NULL ? stop + 1 : end;
        struct line line = {out, at, stop != NULL ? stop : end, out->len};
        while (line.end > at && (line.end[-1] == '\r' || is_blank(line.end[-1])))
            line.end--;
        if (take_line(&line, &code))
            end_line(out, line.from);
        at = next;
    }
    while (out->len > 0 && out->data[out->len - 1] == '\n')
        out->len--;
    if (out->data != NULL)
        out->data[out->len] = '\0';
}

/* -- parts ---------------------------------------------------------------------------------- */

/* Of SMS three segments in any script; of the others a little less than they take. */
size_t channel_text_limit(const char *channel)
{
    static const struct {
        const char *channel;
        size_t limit;
    } limits[] = {{"sms", 200}, {"whatsapp", 1500}, {"messenger", 1900}, {"email", 100000}};

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (strcmp(limits[i].channel, channel) == 0)
            return limits[i].limit;
    }
    return 2000;
}

/* Where `limit` code points end. */
static size_t reach(const char *text, size_t len, size_t limit)
{
    const char *at = text;

    while (limit-- > 0 && at < text + len)
        utf8_next(&at, text + len);
    return (size_t)(at - text);
}

static size_t last_of(const char *text, size_t len, const char *what)
{
    size_t what_len = strlen(what);

    for (size_t at = len; at >= what_len; at--) {
        if (memcmp(text + at - what_len, what, what_len) == 0)
            return at;
    }
    return 0;
}

static size_t part_end(const char *text, size_t len, size_t limit)
{
    static const char *const ends[] = {"\n\n", "\n", ". ", "? ", "! ", " "};
    size_t most = reach(text, len, limit);

    for (size_t i = 0; most < len && i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t end = last_of(text, most, ends[i]);
        if (end > most / 2)
            return end;
    }
    return most;
}

static bool is_space(char c)
{
    return c == '\n' || is_blank(c);
}

size_t channel_text_split(const char *text, size_t len, size_t limit,
                          struct channel_part parts[CHANNEL_PARTS_MAX])
{
    size_t count = 0;

    while (count < CHANNEL_PARTS_MAX) {
        while (len > 0 && is_space(*text)) {
            text++;
            len--;
        }
        if (len == 0)
            break;
        size_t end = part_end(text, len, limit), shown = end;
        while (shown > 0 && is_space(text[shown - 1]))
            shown--;
        parts[count++] = (struct channel_part){text, shown};
        text += end;
        len -= end;
    }
    return count;
}
