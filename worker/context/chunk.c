#include "context/chunk.h"

#include "core/buf.h"
#include "core/utf8.h"
#include "llm/tokens.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CHUNKS_MAX 256                /* whatever the settings say */
#define TEXT_MAX   ((size_t)16 << 20) /* bytes of a chunk, the same */

struct packer {
    struct arena *arena;
    struct chunk_set *set;
    int max_chunks;
    int max_tokens; /* of a chunk that has the context to itself */
    int max_context_tokens;
    int separator_tokens;
    struct buf text; /* the open chunk; empty = none is open */
    const char *ids[SNIPPETS_MAX];
    size_t id_count;
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int by_falling_score(const void *left, const void *right)
{
    const struct snippet *a = *(const struct snippet *const *)left;
    const struct snippet *b = *(const struct snippet *const *)right;

    if (a->score != b->score) {
        return a->score < b->score ? 1 : -1;
    }
    return (a > b) - (a < b); /* both are in one array: its order stands */
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool is_full(const struct packer *p)
{
    return (int)p->set->count >= p->max_chunks;
}

/* What the open chunk may cost: a chunk's bound, or what is left of the context. */
static int room(const struct packer *p)
{
    int separator = p->set->count > 0 ? p->separator_tokens : 0;

    return least(p->max_tokens, p->max_context_tokens - p->set->context_tokens - separator);
}

static void flush(struct packer *p)
{
    if (p->text.len == 0) {
        return;
    }
    struct chunk_set *set = p->set;
    struct chunk *chunk = &set->chunks[set->count];
    chunk->index = (int)set->count;
    chunk->text = arena_strndup(p->arena, p->text.data, p->text.len);
    chunk->estimated_tokens = tokens_estimate(p->text.data, p->text.len);
    chunk->snippet_ids = arena_alloc(p->arena, p->id_count * sizeof(*p->ids));
    memcpy(chunk->snippet_ids, p->ids, p->id_count * sizeof(*p->ids));
    chunk->snippet_count = p->id_count;
    set->context_tokens += chunk->estimated_tokens + (set->count > 0 ? p->separator_tokens : 0);
    set->count++;
    p->text.len = 0;
    p->id_count = 0;
}

static void put_heading(struct packer *p, const struct snippet *s, size_t label_len)
{
    buf_puts(&p->text, "[");
    buf_puts(&p->text, s->id);
    buf_puts(&p->text, "] ");
    buf_append(&p->text, s->label, label_len);
    buf_puts(&p->text, "\n");
}

static void truncate_to(struct packer *p, size_t len)
{
    p->text.len = len;
    p->text.over = false;
}

/* Puts the whole snippet into the open chunk, or leaves that as it was. */
static bool append(struct packer *p, const struct snippet *s)
{
    size_t before = p->text.len;

    if (before > 0) {
        buf_puts(&p->text, "\n\n");
    }
    put_heading(p, s, strlen(s->label));
    buf_puts(&p->text, s->body);
    if (p->text.over || tokens_estimate(p->text.data, p->text.len) > room(p)) {
        truncate_to(p, before);
        return false;
    }
    p->ids[p->id_count++] = s->id;
    return true;
}

/* The longest prefix that costs no more; never inside a code point. */
static size_t prefix_within(const char *text, size_t len, int tokens)
{
    size_t fits = 0, passes = len + 1;

    while (passes - fits > 1) {
        size_t middle = fits + (passes - fits) / 2;
        if (tokens_estimate(text, utf8_floor(text, len, middle)) <= tokens) {
            fits = middle;
        } else {
            passes = middle;
        }
    }
    return utf8_floor(text, len, fits);
}

/* Whether a sentence ends before text[at]; at > 0. */
static bool is_sentence_end(const char *text, size_t len, size_t at)
{
    static const char *const wide[] = {"。", "！", "？"};
    char last = text[at - 1];

    if (last == '\n') {
        return true;
    }
    for (size_t i = 0; i < sizeof(wide) / sizeof(*wide) && at >= 3; i++) {
        if (memcmp(text + at - 3, wide[i], 3) == 0) {
            return true;
        }
    }
    return (last == '.' || last == '!' || last == '?') && (at == len || is_space(text[at]));
}

/* How much of an oversized text goes into a part: up to the last sentence end in
 * reach, else the last blank, else as much as may be. */
static size_t part_length(const char *text, size_t len, int tokens)
{
    size_t most = tokens > 0 ? prefix_within(text, len, tokens) : 0;

    if (most == len) {
        return len;
    }
    for (size_t at = most; at > 0; at--) {
        if (is_sentence_end(text, len, at)) {
            return at;
        }
    }
    for (size_t at = most; at > 0; at--) {
        if (is_space(text[at])) {
            return at;
        }
    }
    return most;
}

/* A snippet that no chunk could hold, in parts under its own heading each. */
static void append_parts(struct packer *p, const struct snippet *s)
{
    const char *rest = s->body;
    /* A heading must leave most of a chunk to the body. */
    size_t label_len = prefix_within(s->label, strlen(s->label), p->max_tokens / 4);

    while (!is_full(p)) {
        rest += strspn(rest, " \n\t\r");
        int tokens = room(p);
        if (*rest == '\0' || tokens < p->max_tokens / 4) {
            return; /* a splinter is not worth a heading */
        }
        put_heading(p, s, label_len);
        tokens -= tokens_estimate(p->text.data, p->text.len);
        size_t len = part_length(rest, strlen(rest), tokens), shown = len;
        while (shown > 0 && is_space(rest[shown - 1])) {
            shown--;
        }
        if (shown == 0 || !buf_append(&p->text, rest, shown)) {
            truncate_to(p, 0);
            return;
        }
        p->ids[p->id_count++] = s->id;
        rest += len;
        if (*rest != '\0') {
            flush(p);
        }
    }
}

/* Whether no chunk could hold the snippet in one piece. Nothing is open. */
static bool is_oversized(struct packer *p, const struct snippet *s)
{
    put_heading(p, s, strlen(s->label));
    buf_puts(&p->text, s->body);
    bool oversized = p->text.over || tokens_estimate(p->text.data, p->text.len) > p->max_tokens;
    truncate_to(p, 0);
    return oversized;
}

static void pack(struct packer *p, const struct snippet *s)
{
    if (p->text.len > 0) {
        if (append(p, s) || (int)p->set->count + 1 >= p->max_chunks) {
            return; /* the last chunk stays open for smaller ones */
        }
        flush(p);
    }
    if (is_full(p) || append(p, s)) {
        return;
    }
    if (is_oversized(p, s)) {
        append_parts(p, s);
    }
}

void chunk_pack(struct arena *a, const struct snippet *snippets, size_t count,
                const struct chunk_limits *limits, struct chunk_set *set)
{
    struct packer p = {
        .arena = a,
        .set = set,
        .max_chunks = least(limits->max_chunks, CHUNKS_MAX),
        .max_tokens = least(limits->max_chunk_tokens, limits->max_context_tokens),
        .max_context_tokens = limits->max_context_tokens,
        .separator_tokens = tokens_estimate(CHUNK_SEPARATOR, strlen(CHUNK_SEPARATOR)),
    };

    memset(set, 0, sizeof(*set));
    if (count == 0 || p.max_chunks <= 0 || p.max_tokens <= 0) {
        return;
    }
    set->chunks = arena_zalloc(a, (size_t)p.max_chunks * sizeof(*set->chunks));
    const struct snippet **order = arena_alloc(a, count * sizeof(*order));
    for (size_t i = 0; i < count; i++) {
        order[i] = &snippets[i];
    }
    qsort(order, count, sizeof(*order), by_falling_score);

    buf_init(&p.text, TEXT_MAX);
    for (size_t i = 0; i < count && i < SNIPPETS_MAX && !is_full(&p); i++) {
        pack(&p, order[i]);
    }
    flush(&p);
    buf_free(&p.text);
}

const char *chunk_join(struct arena *a, const struct chunk_set *set)
{
    size_t size = 1;

    for (size_t i = 0; i < set->count; i++) {
        size += strlen(set->chunks[i].text) + strlen(CHUNK_SEPARATOR);
    }
    char *text = arena_alloc(a, size), *at = text;
    for (size_t i = 0; i < set->count; i++) {
        at = stpcpy(at, i > 0 ? CHUNK_SEPARATOR : "");
        at = stpcpy(at, set->chunks[i].text);
    }
    *at = '\0';
    return text;
}
