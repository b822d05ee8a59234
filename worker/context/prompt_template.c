#include "context/prompt_template.h"

#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8  /* of sections in sections */
#define SHOWN_MAX 40 /* bytes of a tag in a fault */

enum piece_type { LITERAL, VALUE, SECTION };

struct prompt_piece {
    enum piece_type type;
    size_t slot;
    const char *text; /* LITERAL */
    size_t len;
    size_t end; /* SECTION: the first piece behind it */
};

struct open_section {
    size_t piece;
    int line;
};

struct parser {
    const struct prompt_slots *slots;
    struct prompt_template *t;
    struct prompt_fault *fault;
    int line;
    struct open_section open[DEPTH_MAX];
    size_t depth;
    bool *seen; /* by slot */
};

/* -- faults ---------------------------------------------------------------------------------- */

static bool fail(struct parser *p, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(struct parser *p, int line, const char *format, ...)
{
    va_list args;

    p->fault->line = line;
    va_start(args, format);
    vsnprintf(p->fault->what, sizeof(p->fault->what), format, args);
    va_end(args);
    return false;
}

static bool fail_unknown(struct parser *p, const char *name, size_t len)
{
    struct buf known;

    buf_init(&known, sizeof(p->fault->what));
    for (size_t i = 0; i < p->slots->count; i++) {
        const struct prompt_slot *slot = &p->slots->list[i];
        if ((slot->files & p->slots->file) != 0)
            buf_printf(&known, "%s%s", known.len > 0 ? ", " : "", slot->name);
    }
    fail(p, p->line, "there is no {{%.*s}} here, only %s", (int)(len < SHOWN_MAX ? len : SHOWN_MAX),
         name, known.data != NULL ? known.data : "text");
    buf_free(&known);
    return false;
}

/* -- reading --------------------------------------------------------------------------------- */

static struct prompt_piece *add(struct parser *p, enum piece_type type)
{
    struct prompt_piece *piece = &p->t->pieces[p->t->count++];
    *piece = (struct prompt_piece){.type = type};
    return piece;
}

static void add_text(struct parser *p, const char *text, size_t len)
{
    if (len > 0) {
        struct prompt_piece *piece = add(p, LITERAL);
        piece->text = text;
        piece->len = len;
    }
}

/* The slot's index; slots->count: there is none of that name in this file. */
static size_t slot_named(const struct prompt_slots *slots, const char *name, size_t len)
{
    size_t i = 0;

    for (; i < slots->count; i++) {
        const struct prompt_slot *slot = &slots->list[i];
        if ((slot->files & slots->file) != 0 && strlen(slot->name) == len &&
            memcmp(slot->name, name, len) == 0)
            break;
    }
    return i;
}

static const char *open_name(const struct parser *p)
{
    return p->slots->list[p->t->pieces[p->open[p->depth - 1].piece].slot].name;
}

static bool open_section(struct parser *p, size_t slot)
{
    if (p->depth == DEPTH_MAX)
        return fail(p, p->line, "{{#%s}} is inside %d sections, which is as deep as they go",
                    p->slots->list[slot].name, DEPTH_MAX);
    p->open[p->depth++] = (struct open_section){p->t->count, p->line};
    add(p, SECTION)->slot = slot;
    return true;
}

static bool close_section(struct parser *p, size_t slot)
{
    const char *name = p->slots->list[slot].name;

    if (p->depth == 0)
        return fail(p, p->line, "{{/%s}} closes nothing: {{#%s}} has to come before it", name,
                    name);
    struct prompt_piece *section = &p->t->pieces[p->open[p->depth - 1].piece];
    if (section->slot != slot)
        return fail(p, p->line, "{{/%s}} stands where {{/%s}} has to: that was opened in line %d",
                    name, open_name(p), p->open[p->depth - 1].line);
    section->end = p->t->count;
    p->depth--;
    return true;
}

static bool in_section_of(const struct parser *p, size_t slot)
{
    for (size_t i = 0; i < p->depth; i++) {
        if (p->t->pieces[p->open[i].piece].slot == slot)
            return true;
    }
    return false;
}

static bool insert_value(struct parser *p, size_t slot)
{
    const struct prompt_slot *named = &p->slots->list[slot];

    if (named->optional && !in_section_of(p, slot))
        return fail(p, p->line,
                    "{{%s}} may have no value: write {{#%s}} before and {{/%s}} behind "
                    "what is to be left out then",
                    named->name, named->name, named->name);
    p->seen[slot] = true;
    add(p, VALUE)->slot = slot;
    return true;
}

/* What stands between {{ and }}. */
static bool read_tag(struct parser *p, const char *tag, size_t len)
{
    bool sign = len > 0 && (*tag == '#' || *tag == '/');
    size_t slot = slot_named(p->slots, tag + sign, len - sign);

    if (slot == p->slots->count)
        return fail_unknown(p, tag, len);
    if (!sign)
        return insert_value(p, slot);
    return *tag == '#' ? open_section(p, slot) : close_section(p, slot);
}

static const char *find_pair(const char *at, const char *end, char c)
{
    for (; at + 1 < end; at++) {
        if (at[0] == c && at[1] == c)
            return at;
    }
    return NULL;
}

/* A section's tag alone on its line takes the line with it. */
static void trim_lone_tag(const char **line, const char **end)
{
    const char *from = *line, *to = *end;

    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == '\n' || to[-1] == '\r' || to[-1] == ' ' || to[-1] == '\t'))
        to--;
    bool tag = to - from > 4 && from[0] == '{' && from[1] == '{' &&
               (from[2] == '#' || from[2] == '/') && find_pair(from, to, '}') == to - 2;
    if (tag) {
        *line = from;
        *end = to;
    }
}

static bool read_line(struct parser *p, const char *line, const char *end)
{
    trim_lone_tag(&line, &end);
    for (;;) {
        const char *open = find_pair(line, end, '{');
        if (open == NULL) {
            add_text(p, line, (size_t)(end - line));
            return true;
        }
        const char *close = find_pair(open + 2, end, '}');
        if (close == NULL)
            return fail(p, p->line, "a {{ without its }}: both have to stand in one line");
        add_text(p, line, (size_t)(open - line));
        if (!read_tag(p, open + 2, (size_t)(close - open) - 2))
            return false;
        line = close + 2;
    }
}

/* A line is one piece, and each tag in it makes two more. */
static size_t most_pieces(const char *text)
{
    size_t most = 1;

    for (; *text != '\0'; text++) {
        most += *text == '\n' ? 1 : 0;
        most += text[0] == '{' && text[1] == '{' ? 2 : 0;
    }
    return most;
}

static bool is_complete(struct parser *p)
{
    if (p->depth > 0)
        return fail(p, p->open[p->depth - 1].line, "{{#%s}} is not closed: {{/%s}} is missing",
                    open_name(p), open_name(p));
    for (size_t i = 0; i < p->slots->count; i++) {
        const struct prompt_slot *slot = &p->slots->list[i];
        if ((slot->required & p->slots->file) != 0 && !p->seen[i])
            return fail(p, p->line, "{{%s}} is missing: this file has to say where it goes",
                        slot->name);
    }
    return true;
}

bool prompt_template_parse(struct arena *a, const char *text, const struct prompt_slots *slots,
                           struct prompt_template *t, struct prompt_fault *fault)
{
    struct parser p = {.slots = slots,
                       .t = t,
                       .fault = fault,
                       .seen = arena_zalloc(a, slots->count * sizeof(*p.seen) + 1)};

    t->pieces = arena_alloc(a, most_pieces(text) * sizeof(*t->pieces));
    t->count = 0;
    while (*text != '\0') {
        const char *end = text + strcspn(text, "\n");
        end += *end == '\n';
        p.line++;
        if (!read_line(&p, text, end))
            return false;
        text = end;
    }
    return is_complete(&p);
}

/* -- writing --------------------------------------------------------------------------------- */

static bool has_value(const char *const *values, size_t slot)
{
    return values[slot] != NULL && values[slot][0] != '\0';
}

/* Writes to `out` unless it is NULL; the length either way. */
static size_t put(char *out, const struct prompt_template *t, const char *const *values)
{
    size_t total = 0;

    for (size_t i = 0; i < t->count;) {
        const struct prompt_piece *piece = &t->pieces[i];
        const char *text = piece->text;
        size_t len = piece->len;
        if (piece->type == VALUE) {
            text = values[piece->slot];
            len = text != NULL ? strlen(text) : 0;
        }
        if (out != NULL && len > 0)
            memcpy(out + total, text, len);
        total += len;
        i = piece->type == SECTION && !has_value(values, piece->slot) ? piece->end : i + 1;
    }
    return total;
}

const char *prompt_template_render(struct arena *a, const struct prompt_template *t,
                                   const char *const *values)
{
    size_t len = put(NULL, t, values);
    char *text = arena_alloc(a, len + 1);

    put(text, t, values);
    text[len] = '\0';
    return text;
}
