#include "context/compress.h"

#include "core/buf.h"
#include "core/words.h"
#include "llm/tokens.h"

#include <stdlib.h>
#include <string.h>

#define HASH_FUNCTION(key, len, hash) HASH_FNV(key, len, hash)
#include <uthash.h>

#define BOILERPLATE_BYTES_MIN 40 /* shorter lines may be the answer */
#define BOILERPLATE_TIMES     3
#define SENTENCES_MAX         2048 /* different ones that are counted */
#define BODY_BYTES_MAX        ((size_t)1 << 20)
#define SCHEMA_BYTES_MAX      ((size_t)1 << 18)
#define TEXT_WORDS_MAX        256

/* -- bodies ---------------------------------------------------------------------------------- */

struct line {
    const char *text;
    size_t len; /* without its end and the blanks before that */
};

static struct line next_line(const char **at)
{
    struct line line = {*at, strcspn(*at, "\n")};

    *at += line.len + ((*at)[line.len] == '\n');
    while (line.len > 0 && strchr(" \t\r", line.text[line.len - 1]) != NULL) {
        line.len--;
    }
    return line;
}

/* A whole sentence without a number: "Questions? Write to us, we answer on every working day."
 * A price, an item of a list or a heading belongs where it stands. */
static bool may_be_boilerplate(const struct line *line)
{
    if (line->len < BOILERPLATE_BYTES_MIN || strchr("-*|#>", line->text[0]) != NULL ||
        strchr(".!?", line->text[line->len - 1]) == NULL) {
        return false;
    }
    for (size_t i = 0; i < line->len; i++) {
        if (line->text[i] >= '0' && line->text[i] <= '9') {
            return false;
        }
    }
    return true;
}

/* A line that may be boilerplate: in how many snippets it stands. */
struct sentence {
    size_t first, last; /* snippets */
    size_t times;
    UT_hash_handle hh;
};

static void count_line(struct arena *a, struct sentence **sentences, const struct line *line,
                       size_t at)
{
    struct sentence *known;

    HASH_FIND(hh, *sentences, line->text, line->len, known);
    if (known == NULL && HASH_COUNT(*sentences) < SENTENCES_MAX) {
        known = arena_zalloc(a, sizeof(*known));
        *known = (struct sentence){.first = at, .last = at, .times = 1};
        HASH_ADD_KEYPTR(hh, *sentences, line->text, line->len, known);
    } else if (known != NULL && known->last != at) {
        known->last = at;
        known->times++;
    }
}

static struct sentence *count_sentences(struct arena *a, const char *const *bodies, size_t count)
{
    struct sentence *sentences = NULL;

    for (size_t i = 0; i < count; i++) {
        for (const char *body = bodies[i]; *body != '\0';) {
            struct line line = next_line(&body);
            if (may_be_boilerplate(&line)) {
                count_line(a, &sentences, &line, i);
            }
        }
    }
    return sentences;
}

/* Said by a better snippet already, and by enough of them that it is nobody's own. */
static bool is_repeated(const struct sentence *sentences, size_t at, const struct line *line)
{
    const struct sentence *known;

    HASH_FIND(hh, sentences, line->text, line->len, known);
    return known != NULL && known->first < at && known->times >= BOILERPLATE_TIMES;
}

/* Without repeated sentences, and never two blank lines in a row. */
static const char *shorten(struct arena *a, const struct sentence *sentences,
                           const char *const *bodies, size_t at)
{
    struct buf text;
    bool blank = true;

    buf_init(&text, BODY_BYTES_MAX);
    for (const char *body = bodies[at]; *body != '\0';) {
        struct line line = next_line(&body);
        if ((line.len == 0 && blank) ||
            (may_be_boilerplate(&line) && is_repeated(sentences, at, &line))) {
            continue;
        }
        blank = line.len == 0;
        buf_puts(&text, text.len > 0 ? "\n" : "");
        buf_append(&text, line.text, line.len);
    }
    while (text.len > 0 && text.data[text.len - 1] == '\n') {
        text.len--;
    }
    const char *shorter =
        text.over || text.len == 0 ? bodies[at] : arena_strndup(a, text.data, text.len);
    buf_free(&text);
    return shorter;
}

int compress_snippets(struct arena *a, struct snippet *snippets, size_t count)
{
    const char *bodies[SNIPPETS_MAX];
    int saved = 0;

    count = count < SNIPPETS_MAX ? count : SNIPPETS_MAX;
    for (size_t i = 0; i < count; i++) {
        bodies[i] = snippets[i].body;
    }
    struct sentence *sentences = count_sentences(a, bodies, count);
    for (size_t i = 0; i < count; i++) {
        snippets[i].body = shorten(a, sentences, bodies, i);
        saved += tokens_estimate(bodies[i], strlen(bodies[i])) -
                 tokens_estimate(snippets[i].body, strlen(snippets[i].body));
    }
    HASH_CLEAR(hh, sentences);
    return saved;
}

/* -- schemas --------------------------------------------------------------------------------- */

/* Keywords that say nothing of the arguments. A property may have such a name as well. */
static bool is_note(const struct fd_json *member)
{
    return member->type == FD_JSON_STRING &&
           (strcmp(member->key, "$schema") == 0 || strcmp(member->key, "$comment") == 0 ||
            strcmp(member->key, "title") == 0);
}

static bool holds_names(const struct fd_json *value)
{
    static const char *const keywords[] = {"properties", "patternProperties", "$defs",
                                           "definitions", "dependentSchemas"};

    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (strcmp(value->key, keywords[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_data(const struct fd_json *value)
{
    return (strcmp(value->key, "const") == 0 || strcmp(value->key, "enum") == 0 ||
            strcmp(value->key, "default") == 0 || strcmp(value->key, "examples") == 0);
}

/* `names`: the keys are the schema's own words, not keywords. */
static void write_schema(struct fd_json_writer *w, const struct fd_json *value, bool names)
{
    if (value->type == FD_JSON_ARRAY) {
        fd_jw_array(w);
        for (const struct fd_json *item = value->child; item != NULL; item = item->next) {
            write_schema(w, item, false);
        }
        fd_jw_end_array(w);
        return;
    }
    if (value->type != FD_JSON_OBJECT) {
        fd_jw_json(w, value);
        return;
    }
    fd_jw_object(w);
    for (const struct fd_json *member = value->child; member != NULL; member = member->next) {
        if (!names && is_note(member)) {
            continue;
        }
        fd_jw_key(w, member->key);
        if (!names && is_data(member)) {
            fd_jw_json(w, member);
        } else {
            write_schema(w, member, !names && holds_names(member));
        }
    }
    fd_jw_end_object(w);
}

const char *compress_schema(struct arena *a, const char *schema)
{
    struct fd_json_limits limits = {0};
    struct fd_json_fault fault;
    struct fd_json_writer w;
    struct buf text;
    size_t len = strlen(schema);
    const struct fd_json *parsed = fd_json_parse(schema, len, limits, arena_allocator(a), &fault);

    if (parsed == NULL) {
        return schema;
    }
    buf_init(&text, SCHEMA_BYTES_MAX);
    buf_json(&text, &w);
    write_schema(&w, parsed, false);
    bool gained = buf_json_end(&text, &w) && text.len < len;
    const char *shorter = gained ? arena_strndup(a, text.data, text.len) : schema;
    buf_free(&text);
    return shorter;
}

/* -- tools ----------------------------------------------------------------------------------- */

struct scored_tool {
    size_t at;
    unsigned shared; /* words with what was said */
};

static int by_shared_words(const void *left, const void *right)
{
    const struct scored_tool *a = left, *b = right;

    if (a->shared != b->shared) {
        return a->shared < b->shared ? 1 : -1;
    }
    return (a->at > b->at) - (a->at < b->at);
}

static int by_place(const void *left, const void *right)
{
    const struct scored_tool *a = left, *b = right;

    return (a->at > b->at) - (a->at < b->at);
}

static unsigned shared_words(struct arena *a, const struct llm_tool *tool, const struct word *said,
                             size_t said_count)
{
    struct word words[TEXT_WORDS_MAX];
    char *text = arena_printf(a, "%s %s", tool->name, tool->description);
    unsigned shared = 0;

    for (char *c = text; *c != '\0'; c++) {
        *c = *c == '_' || *c == '.' ? ' ' : *c;
    }
    size_t count = words_of(a, text, strlen(text), words, TEXT_WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < said_count && !word_is_stop(&words[i]); k++) {
            if (word_is_form_of(&said[k], &words[i]) || word_is_form_of(&words[i], &said[k])) {
                shared++;
                break;
            }
        }
    }
    return shared;
}

size_t compress_tools(struct arena *a, const struct llm_tool *tools, size_t count,
                      const char *const *texts, size_t text_count, const struct llm_tool **kept)
{
    struct word said[TEXT_WORDS_MAX];
    size_t said_count = 0;

    *kept = tools;
    if (count <= COMPRESS_TOOLS_KEPT) {
        return count;
    }
    for (size_t i = 0; i < text_count; i++) {
        said_count +=
            words_of(a, texts[i], strlen(texts[i]), said + said_count, TEXT_WORDS_MAX - said_count);
    }
    struct scored_tool *scored = arena_alloc(a, count * sizeof(*scored));
    for (size_t i = 0; i < count; i++) {
        scored[i] = (struct scored_tool){i, shared_words(a, &tools[i], said, said_count)};
    }
    qsort(scored, count, sizeof(*scored), by_shared_words);
    qsort(scored, COMPRESS_TOOLS_KEPT, sizeof(*scored), by_place);
    struct llm_tool *list = arena_alloc(a, COMPRESS_TOOLS_KEPT * sizeof(*list));
    for (size_t i = 0; i < COMPRESS_TOOLS_KEPT; i++) {
        list[i] = tools[scored[i].at];
    }
    *kept = list;
    return COMPRESS_TOOLS_KEPT;
}
