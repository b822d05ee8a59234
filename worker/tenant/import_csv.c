/* Questions and answers in rows: RFC 4180, with the comma, semicolon or tab that the
 * spreadsheet's country writes. */
#include "tenant/import_format.h"

#include "core/words.h"
#include "tenant/article.h"

#include <stdio.h>
#include <string.h>

#define FIELDS_MAX 64 /* of a row; more are read and dropped */

struct field {
    const char *text;
    size_t len;
};

struct row {
    struct field fields[FIELDS_MAX];
    size_t count;
};

struct reader {
    struct arena *arena;
    const char *at, *end;
    char delimiter;
    size_t line;     /* of the file, from 1, where the row begins */
    size_t newlines; /* read so far */
};

/* The candidate that stands most often in the first row, outside quotes. */
static char delimiter_of(const char *text, const char *end)
{
    static const char candidates[] = {',', ';', '\t'};
    size_t seen[sizeof(candidates)] = {0}, best = 0;
    bool quoted = false;

    for (; text < end && (quoted || *text != '\n'); text++) {
        quoted ^= *text == '"';
        for (size_t i = 0; i < sizeof(candidates) && !quoted; i++)
            seen[i] += *text == candidates[i];
    }
    for (size_t i = 1; i < sizeof(candidates); i++)
        best = seen[i] > seen[best] ? i : best;
    return candidates[best];
}

static bool ends_field(const struct reader *r)
{
    return r->at == r->end || *r->at == r->delimiter || *r->at == '\n';
}

/* From behind the opening quote; a doubled quote is one. False: it is never closed. */
static bool read_quoted(struct reader *r, struct field *field)
{
    const char *from = r->at;
    size_t len = 0;

    for (;; len++) {
        if (r->at == r->end)
            return false;
        bool quote = *r->at == '"', doubled = quote && r->at + 1 < r->end && r->at[1] == '"';
        if (quote && !doubled)
            break;
        r->newlines += *r->at == '\n';
        r->at += doubled ? 2 : 1;
    }
    r->at++;
    char *text = arena_alloc(r->arena, len + 1);
    for (size_t i = 0; i < len; i++) {
        text[i] = *from;
        from += *from == '"' ? 2 : 1;
    }
    *field = (struct field){text, len};
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static struct field trimmed(struct field field)
{
    while (field.len > 0 && is_blank(*field.text)) {
        field.text++;
        field.len--;
    }
    while (field.len > 0 && is_blank(field.text[field.len - 1]))
        field.len--;
    return field;
}

/* What is wrong with the row, or NULL. */
static const char *read_row(struct reader *r, struct row *row)
{
    row->count = 0;
    r->line = r->newlines + 1;
    do {
        struct field field = {r->at, 0};
        if (r->at < r->end && *r->at == '"') {
            r->at++;
            if (!read_quoted(r, &field))
                return "a quotation mark is never closed";
            if (!ends_field(r))
                return "text stands behind a closing quotation mark";
        } else {
            while (!ends_field(r))
                r->at++;
            field.len = (size_t)(r->at - field.text);
        }
        if (row->count < FIELDS_MAX)
            row->fields[row->count++] = trimmed(field);
    } while (r->at < r->end && *r->at == r->delimiter && r->at++ < r->end);
    r->newlines += r->at < r->end;
    r->at += r->at < r->end;
    return NULL;
}

/* -- which columns ---------------------------------------------------------------- */

struct columns {
    size_t question, answer;
    bool named; /* the first row is their names */
};

static bool is_name(struct arena *a, struct field field, const char *const names[3])
{
    struct word words[2];

    if (words_of(a, field.text, field.len, words, 2) != 1)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(words[0].text, names[i]) == 0)
            return true;
    }
    return false;
}

static struct columns columns_of(struct arena *a, const struct row *row)
{
    static const char *const questions[] = {"question", "q", "שאלה"};
    static const char *const answers[] = {"answer", "a", "תשובה"};
    size_t question = FIELDS_MAX, answer = FIELDS_MAX;

    for (size_t i = 0; i < row->count; i++) {
        if (question == FIELDS_MAX && is_name(a, row->fields[i], questions))
            question = i;
        else if (answer == FIELDS_MAX && is_name(a, row->fields[i], answers))
            answer = i;
    }
    if (question < FIELDS_MAX && answer < FIELDS_MAX)
        return (struct columns){question, answer, true};
    return (struct columns){0, 1, false};
}

/* -- the article ------------------------------------------------------------------- */

static struct field cell(const struct row *row, size_t column)
{
    return column < row->count ? row->fields[column] : (struct field){"", 0};
}

static bool is_empty(const struct row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        if (row->fields[i].len > 0)
            return false;
    }
    return true;
}

/* The question is the heading, on one line; one that is too long for a heading stands in
 * the text as well. */
static void put_pair(struct buf *out, struct field question, struct field answer)
{
    buf_puts(out, "## ");
    for (size_t i = 0; i < question.len; i++)
        buf_append(out, is_blank(question.text[i]) ? " " : question.text + i, 1);
    buf_puts(out, "\n\n");
    if (question.len > ARTICLE_LABEL_MAX) {
        import_plain(question.text, question.len, out);
        buf_puts(out, "\n");
    }
    import_plain(answer.text, answer.len, out);
    buf_puts(out, "\n");
}

bool import_csv(struct arena *a, const char *text, size_t len, struct buf *out,
                char error[IMPORT_ERROR_SIZE])
{
    struct reader r = {.arena = a, .at = text, .end = text + len};
    struct row *row = arena_alloc(a, sizeof(*row));
    struct columns columns = {0};
    size_t pairs = 0;

    r.delimiter = delimiter_of(text, r.end);
    for (bool first = true; r.at < r.end; first = false) {
        const char *fault = read_row(&r, row);
        if (first && fault == NULL) {
            columns = columns_of(a, row);
            if (columns.named)
                continue;
        }
        struct field question = cell(row, columns.question), answer = cell(row, columns.answer);
        if (fault == NULL && is_empty(row))
            continue;
        if (fault == NULL && (question.len == 0 || answer.len == 0))
            fault = "a row has a question and an answer, with a comma, semicolon or tab between";
        if (fault != NULL) {
            snprintf(error, IMPORT_ERROR_SIZE, "line %zu: %s", r.line, fault);
            return false;
        }
        put_pair(out, question, answer);
        pairs++;
    }
    if (pairs == 0)
        snprintf(error, IMPORT_ERROR_SIZE, "it has no row of a question and an answer");
    return pairs > 0;
}
