#include "context/citation.h"

#include <stdbool.h>
#include <string.h>

void citation_init(struct citation_scan *scan, const struct chunk_set *sent,
                   const struct snippet *snippets, size_t snippet_count)
{
    memset(scan, 0, sizeof(*scan));
    scan->sent = sent;
    scan->snippets = snippets;
    scan->snippet_count = snippet_count;
}

static bool is_id(const char *id, const char *text, size_t len)
{
    return strlen(id) == len && memcmp(id, text, len) == 0;
}

static const char *find_sent(const struct chunk_set *sent, const char *text, size_t len)
{
    for (size_t i = 0; i < sent->count; i++) {
        for (size_t j = 0; j < sent->chunks[i].snippet_count; j++) {
            if (is_id(sent->chunks[i].snippet_ids[j], text, len)) {
                return sent->chunks[i].snippet_ids[j];
            }
        }
    }
    return NULL;
}

static const char *label_of(const struct citation_scan *scan, const char *id)
{
    for (size_t i = 0; i < scan->snippet_count; i++) {
        if (strcmp(scan->snippets[i].id, id) == 0) {
            return scan->snippets[i].label;
        }
    }
    return "";
}

/* Whether it means to be a record's id: else "[see: below]" would count as dropped. */
static bool names_record(const char *text, size_t len)
{
    static const char *const kinds[] = {
        "article:", "product:", "order:", "deal:", "contact:", "company:", "activity:"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        size_t kind_len = strlen(kinds[i]);
        if (len > kind_len && memcmp(text, kinds[i], kind_len) == 0) {
            return true;
        }
    }
    return false;
}

/* 1 if it is a citation that was not there before. */
static size_t cite(struct citation_scan *scan, const char *id)
{
    for (size_t i = 0; i < scan->count; i++) {
        if (strcmp(scan->found[i].id, id) == 0) {
            return 0;
        }
    }
    if (scan->count == CITATIONS_MAX) {
        return 0;
    }
    scan->found[scan->count].id = id;
    scan->found[scan->count].label = label_of(scan, id);
    scan->count++;
    return 1;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* One id, or several: "[article:a, article:b]". */
static size_t close_bracket(struct citation_scan *scan)
{
    const char *text = scan->open + 1, *end = scan->open + scan->open_len;
    size_t found = 0;
    const char *id = find_sent(scan->sent, text, (size_t)(end - text));

    if (id != NULL) {
        return cite(scan, id);
    }
    while (text < end) {
        const char *stop = text;
        while (stop < end && *stop != ',' && *stop != ';') {
            stop++;
        }
        const char *next = stop + (stop < end);
        while (text < stop && is_space(*text)) {
            text++;
        }
        while (text < stop && is_space(stop[-1])) {
            stop--;
        }
        size_t len = (size_t)(stop - text);
        id = len > 0 ? find_sent(scan->sent, text, len) : NULL;
        if (id != NULL) {
            found += cite(scan, id);
        } else if (names_record(text, len)) {
            scan->dropped++;
        }
        text = next;
    }
    return found;
}

void citation_restart(struct citation_scan *scan)
{
    scan->count = scan->dropped = scan->open_len = 0;
}

size_t citation_feed(struct citation_scan *scan, const char *text, size_t len)
{
    size_t found = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '[') {
            scan->open[0] = c;
            scan->open_len = 1;
        } else if (scan->open_len == 0) {
            continue;
        } else if (c == ']') {
            found += close_bracket(scan);
            scan->open_len = 0;
        } else if (c == '\n' || scan->open_len == sizeof(scan->open)) {
            scan->open_len = 0;
        } else {
            scan->open[scan->open_len++] = c;
        }
    }
    return found;
}
