#include "core/reason.h"

#include "core/arena.h"

#include <stdio.h>
#include <string.h>

#define ROWS_DEPTH   20 /* fits into what a writer nests */
#define ROWS_NODES   1048576
#define VALUES_MAX   6
#define DEPTH_MAX    3 /* of sentences within sentences */
#define SENTENCE_MAX 640
#define TEXT_MAX     8192

enum kind { TEXT, WORD, NUMBER, LIST, KINDS, REASON };

struct value {
    enum kind kind;
    const char *name, *text;
    size_t name_len, len;
};

struct reading {
    struct value values[VALUES_MAX];
    size_t count;
    uint16_t row;                                  /* of the table, from 1 */
    uint16_t failed[VALUES_MAX][SENTENCE_MAX + 1]; /* the row whose value did not fit there, by what
                                                      was left of the text: so nothing is tried
                                                      twice */
};

/* -- values --------------------------------------------------------------------------------- */

static const struct {
    const char *phrase;
    const char *word;
} kinds[] = {
    {"an array of texts", "texts"},
    {"an array of objects", "objects"},
    {"a text", "text"},
    {"a whole number", "integer"},
    {"a number", "number"},
    {"true or false", "boolean"},
    {"an object", "object"},
    {"null", "null"},
};

static bool starts_with(const char *text, size_t len, const char *what)
{
    return strlen(what) <= len && memcmp(text, what, strlen(what)) == 0;
}

static size_t digits(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[n] >= '0' && text[n] <= '9')
        n++;
    return n;
}

/* As JSON has them. */
static bool is_number(const char *text, size_t len)
{
    size_t at = len > 0 && text[0] == '-', whole = digits(text + at, len - at), more;

    if (whole == 0 || (whole > 1 && text[at] == '0'))
        return false;
    at += whole;
    if (at < len && text[at] == '.') {
        more = digits(text + at + 1, len - at - 1);
        at += 1 + more;
        if (more == 0)
            return false;
    }
    if (at < len && text[at] == 'e') {
        at += 1 + (at + 1 < len && (text[at + 1] == '+' || text[at + 1] == '-'));
        more = digits(text + at, len - at);
        at += more;
        if (more == 0)
            return false;
    }
    return at == len;
}

/* The length of the separator that stands here: "a, b or c", "a and b", "a|b". */
static size_t separator(const char *text, size_t len)
{
    static const char *const separators[] = {", ", " or ", " and ", "|"};

    for (size_t i = 0; i < sizeof(separators) / sizeof(separators[0]); i++) {
        if (starts_with(text, len, separators[i]))
            return strlen(separators[i]);
    }
    return 0;
}

/* What stands before the next separator or blank, or the end; 0: nothing. */
static size_t word(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[n] != ' ' && separator(text + n, len - n) == 0)
        n++;
    return n;
}

static bool is_word(const char *text, size_t len)
{
    return len > 0 && memchr(text, ' ', len) == NULL;
}

static bool is_list(const char *text, size_t len)
{
    for (;;) {
        size_t n = word(text, len), more = separator(text + n, len - n);

        if (n == 0 || n == len)
            return n > 0;
        if (more == 0)
            return false;
        text += n + more;
        len -= n + more;
    }
}

/* The kind whose phrase stands here; NULL. */
static const char *kind_at(const char *text, size_t len, size_t *taken)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (starts_with(text, len, kinds[i].phrase)) {
            *taken = strlen(kinds[i].phrase);
            return kinds[i].word;
        }
    }
    return NULL;
}

static bool are_kinds(const char *text, size_t len)
{
    size_t taken;

    while (kind_at(text, len, &taken) != NULL) {
        if (taken == len)
            return true;
        text += taken;
        len -= taken;
        if (!starts_with(text, len, " or "))
            return false;
        text += strlen(" or ");
        len -= strlen(" or ");
    }
    return false;
}

static bool fits(const struct value *v)
{
    switch (v->kind) {
    case WORD: return is_word(v->text, v->len);
    case NUMBER: return is_number(v->text, v->len);
    case LIST: return is_list(v->text, v->len);
    case KINDS: return are_kinds(v->text, v->len);
    case TEXT:
    case REASON: break;
    }
    return v->len > 0;
}

/* -- sentences ------------------------------------------------------------------------------ */

static bool is_value(const char *sentence)
{
    return sentence[0] == '<' && sentence[1] >= 'a' && sentence[1] <= 'z';
}

/* The value whose place begins here; behind it. */
static const char *read_value(const char *sentence, struct value *v)
{
    static const char *const names[] = {"", ":w", ":n", ":list", ":kinds", ":reason"};
    const char *name = sentence + 1, *end = strchr(name, '>');
    const char *colon = memchr(name, ':', (size_t)(end - name));
    const char *kind = colon != NULL ? colon : end;

    *v = (struct value){.name = name, .name_len = (size_t)(kind - name)};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == (size_t)(end - kind) && starts_with(kind, strlen(kind), names[i]))
            v->kind = (enum kind)i;
    }
    return end + 1;
}

/* May the value end before this text? Asked first, as it costs least. */
static bool goes_on(const char *sentence, const char *text, size_t len)
{
    return *sentence == '\0' ? len == 0 : is_value(sentence) || (len > 0 && *text == *sentence);
}

static bool matches(struct reading *r, const char *sentence, const char *text, size_t len);

/* A value is as short as it can be. */
static bool matches_value(struct reading *r, const char *sentence, const char *text, size_t len)
{
    size_t slot = r->count;
    struct value v;

    if (slot == VALUES_MAX || r->failed[slot][len] == r->row)
        return false;
    sentence = read_value(sentence, &v);
    v.text = text;
    for (v.len = 1; v.len <= len; v.len++) {
        if (!goes_on(sentence, text + v.len, len - v.len) || !fits(&v))
            continue;
        r->values[slot] = v;
        r->count = slot + 1;
        if (matches(r, sentence, text + v.len, len - v.len))
            return true;
    }
    r->count = slot;
    r->failed[slot][len] = r->row;
    return false;
}

static bool matches(struct reading *r, const char *sentence, const char *text, size_t len)
{
    for (; !is_value(sentence); sentence++, text++, len--) {
        if (*sentence == '\0' || len == 0)
            return *sentence == '\0' && len == 0;
        if (*sentence != *text)
            return false;
    }
    return matches_value(r, sentence, text, len);
}

static const struct reason *find(struct reading *r, const char *text, size_t len)
{
    memset(r, 0, sizeof(*r));
    for (size_t i = 0; len <= SENTENCE_MAX && i < reason_count; i++) {
        r->count = 0;
        r->row = (uint16_t)(i + 1);
        if (matches(r, reason_table[i].sentence, text, len))
            return &reason_table[i];
    }
    return NULL;
}

/* -- written -------------------------------------------------------------------------------- */

static void write_list(struct fd_json_writer *w, const struct value *v)
{
    fd_jw_array(w);
    for (size_t at = 0; at < v->len;) {
        size_t n = word(v->text + at, v->len - at);

        fd_jw_string(w, v->text + at, n);
        at += n;
        at += separator(v->text + at, v->len - at);
    }
    fd_jw_end_array(w);
}

static void write_kinds(struct fd_json_writer *w, const struct value *v)
{
    size_t taken = 0;

    fd_jw_array(w);
    for (size_t at = 0; at < v->len; at += taken + strlen(" or "))
        fd_jw_cstring(w, kind_at(v->text + at, v->len - at, &taken));
    fd_jw_end_array(w);
}

static bool write_reason(struct fd_json_writer *w, const char *text, size_t len, unsigned depth);

static void write_value(struct fd_json_writer *w, const struct value *v, unsigned depth)
{
    char name[32];

    memcpy(name, v->name, v->name_len);
    name[v->name_len] = '\0';
    fd_jw_key(w, name);
    switch (v->kind) {
    case NUMBER: fd_jw_raw(w, v->text, v->len); return;
    case LIST: write_list(w, v); return;
    case KINDS: write_kinds(w, v); return;
    case REASON:
        if (depth < DEPTH_MAX && write_reason(w, v->text, v->len, depth + 1))
            return;
        break;
    case TEXT:
    case WORD: break;
    }
    fd_jw_string(w, v->text, v->len);
}

static bool write_reason(struct fd_json_writer *w, const char *text, size_t len, unsigned depth)
{
    struct reading r;
    const struct reason *reason = find(&r, text, len);

    if (reason == NULL)
        return false;
    fd_jw_object(w);
    fd_jw_member(w, "code", reason->code);
    fd_jw_key(w, "params");
    fd_jw_object(w);
    for (size_t i = 0; i < r.count; i++)
        write_value(w, &r.values[i], depth);
    fd_jw_end_object(w);
    fd_jw_end_object(w);
    return true;
}

void reason_write(struct fd_json_writer *w, const char *sentence)
{
    if (sentence == NULL || !write_reason(w, sentence, strlen(sentence), 0))
        fd_jw_null(w);
}

void reason_member(struct fd_json_writer *w, const char *key, const char *sentence)
{
    char name[64];

    fd_jw_member(w, key, sentence);
    snprintf(name, sizeof(name), "%s_reason", key);
    fd_jw_key(w, name);
    reason_write(w, sentence);
}

static void write_reasons(struct fd_json_writer *w, const struct fd_json *value)
{
    if (value->type != FD_JSON_ARRAY) {
        reason_write(w, value->type == FD_JSON_STRING ? value->text : NULL);
        return;
    }
    fd_jw_array(w);
    for (const struct fd_json *one = value->child; one != NULL; one = one->next)
        reason_write(w, one->text);
    fd_jw_end_array(w);
}

static void write_row(struct fd_json_writer *w, const struct fd_json *row, const char *key,
                      const char *name)
{
    fd_jw_object(w);
    for (const struct fd_json *m = row->child; m != NULL; m = m->next) {
        fd_jw_key(w, m->key);
        fd_jw_json(w, m);
        if (strcmp(m->key, key) != 0)
            continue;
        fd_jw_key(w, name);
        write_reasons(w, m);
    }
    fd_jw_end_object(w);
}

void reason_write_rows(struct fd_json_writer *w, const char *rows, const char *key,
                       const char *name)
{
    const struct fd_json_limits limits = {.depth = ROWS_DEPTH, .nodes = ROWS_NODES};
    struct fd_json_fault fault;
    struct arena a;

    arena_init(&a);
    const struct fd_json *list =
        fd_json_parse(rows, strlen(rows), limits, arena_allocator(&a), &fault);
    if (list == NULL) {
        fd_jw_raw(w, rows, strlen(rows)); /* PostgreSQL's JSON can be more than ours */
    } else {
        fd_jw_array(w);
        for (const struct fd_json *row = list->child; row != NULL; row = row->next)
            write_row(w, row, key, name);
        fd_jw_end_array(w);
    }
    arena_free(&a);
}

const char *reason_text(struct buf *out, const char *sentence)
{
    struct fd_json_writer w;

    buf_init(out, TEXT_MAX);
    buf_json(out, &w);
    bool known = sentence != NULL && write_reason(&w, sentence, strlen(sentence), 0);
    return buf_json_end(out, &w) && known ? out->data : NULL;
}

void reason_write_codes(struct fd_json_writer *w)
{
    fd_jw_array(w);
    for (size_t i = 0; i < reason_count; i++) {
        bool seen = false;

        for (size_t j = 0; j < i; j++)
            seen = seen || strcmp(reason_table[j].code, reason_table[i].code) == 0;
        if (!seen)
            fd_jw_cstring(w, reason_table[i].code);
    }
    fd_jw_end_array(w);
}
