#include "admin/shape.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8
#define WORD_MAX  64
#define ONE_OF    16

struct reader {
    const char *at;
    unsigned depth;
    bool bad;
};

static void skip_space(struct reader *r)
{
    r->at += strspn(r->at, " ");
}

static bool take(struct reader *r, char c)
{
    skip_space(r);
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

static void expect(struct reader *r, char c)
{
    if (!take(r, c))
        r->bad = true;
}

static void read_word(struct reader *r, char word[WORD_MAX])
{
    skip_space(r);
    size_t len =
        strspn(r->at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/+*");

    if (len == 0 || len >= WORD_MAX) {
        r->bad = true;
        len = 0;
    }
    memcpy(word, r->at, len);
    word[len] = '\0';
    r->at += len;
}

/* -- one type ------------------------------------------------------------------------------- */

static const struct simple {
    const char *word;
    const char *schema;
} simple[] = {
    {"text", "{\"type\":\"string\"}"},
    {"int", "{\"type\":\"integer\"}"},
    {"number", "{\"type\":\"number\"}"},
    {"bool", "{\"type\":\"boolean\"}"},
    {"null", "{\"type\":\"null\"}"},
    {"uuid", "{\"type\":\"string\",\"format\":\"uuid\"}"},
    {"time", "{\"type\":\"string\",\"format\":\"date-time\"}"},
    {"date", "{\"type\":\"string\",\"format\":\"date\"}"},
    {"json", "true"},
    {"object", "{\"type\":\"object\"}"},
};

static const char *simple_schema(const char *word)
{
    for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
        if (strcmp(simple[i].word, word) == 0)
            return simple[i].schema;
    }
    return NULL;
}

static void write_type(struct reader *r, struct fd_json_writer *w);

static void write_required(struct fd_json_writer *w, char names[][WORD_MAX], size_t count)
{
    if (count == 0)
        return;
    fd_jw_key(w, "required");
    fd_jw_array(w);
    for (size_t i = 0; i < count; i++)
        fd_jw_cstring(w, names[i]);
    fd_jw_end_array(w);
}

/* Behind the "{". */
static void write_object(struct reader *r, struct fd_json_writer *w)
{
    char required[64][WORD_MAX], name[WORD_MAX];
    bool open = false, more = !take(r, '}');
    size_t count = 0;

    fd_jw_object(w);
    fd_jw_member(w, "type", "object");
    fd_jw_key(w, "properties");
    fd_jw_object(w);
    while (more && !r->bad) {
        read_word(r, name);
        bool optional = take(r, '?');
        expect(r, ':');
        if (strcmp(name, "*") == 0) {
            open = true;
            fd_jw_end_object(w);
            fd_jw_key(w, "additionalProperties");
            write_type(r, w);
            expect(r, '}');
            break;
        }
        if (!optional && count < sizeof(required) / sizeof(required[0]))
            memcpy(required[count++], name, WORD_MAX);
        fd_jw_key(w, name);
        write_type(r, w);
        more = take(r, ',');
        if (!more)
            expect(r, '}');
    }
    if (!open) {
        fd_jw_end_object(w);
        fd_jw_member_bool(w, "additionalProperties", false);
    }
    write_required(w, required, count);
    fd_jw_end_object(w);
}

/* What has no "|" of its own: a word, an object, a list. */
static void write_one(struct reader *r, struct fd_json_writer *w)
{
    char word[WORD_MAX];

    if (++r->depth > DEPTH_MAX)
        r->bad = true;
    if (r->bad) {
        fd_jw_null(w);
    } else if (take(r, '{')) {
        write_object(r, w);
    } else if (take(r, '[')) {
        fd_jw_object(w);
        fd_jw_member(w, "type", "array");
        fd_jw_key(w, "items");
        write_type(r, w);
        fd_jw_end_object(w);
        expect(r, ']');
    } else {
        read_word(r, word);
        const char *schema = simple_schema(word);
        if (schema != NULL) {
            fd_jw_raw(w, schema, strlen(schema));
        } else {
            fd_jw_object(w);
            fd_jw_member(w, "const", word);
            fd_jw_end_object(w);
        }
    }
    r->depth--;
}

/* Behind the first of several: is there one more on this level? */
static bool has_choice(const char *at)
{
    int depth = 0;

    for (; *at != '\0'; at++) {
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        if (depth < 0 || (depth == 0 && *at == ','))
            return false;
        if (depth == 0 && *at == '|')
            return true;
    }
    return false;
}

/* Words that are constants, all of them, are an enumeration. */
static bool write_enumeration(struct reader *r, struct fd_json_writer *w)
{
    char words[ONE_OF][WORD_MAX];
    struct reader ahead = *r;
    size_t count = 0;

    do {
        skip_space(&ahead);
        if (*ahead.at == '{' || *ahead.at == '[' || count == ONE_OF)
            return false;
        read_word(&ahead, words[count]);
        if (ahead.bad || (simple_schema(words[count]) != NULL && strcmp(words[count], "null") != 0))
            return false;
        count++;
    } while (take(&ahead, '|'));
    fd_jw_object(w);
    fd_jw_key(w, "enum");
    fd_jw_array(w);
    for (size_t i = 0; i < count; i++)
        fd_jw_cstring(w, strcmp(words[i], "null") == 0 ? NULL : words[i]);
    fd_jw_end_array(w);
    fd_jw_end_object(w);
    *r = ahead;
    return true;
}

/* "text|null" is one type of two. */
static bool write_nullable(struct reader *r, struct fd_json_writer *w)
{
    char word[WORD_MAX], null[WORD_MAX];
    struct reader ahead = *r;

    skip_space(&ahead);
    if (*ahead.at == '{' || *ahead.at == '[')
        return false;
    read_word(&ahead, word);
    const char *schema = simple_schema(word);
    if (schema == NULL || *schema != '{' || !take(&ahead, '|') || *ahead.at == '{')
        return false;
    read_word(&ahead, null);
    if (ahead.bad || strcmp(null, "null") != 0 || take(&ahead, '|'))
        return false;
    /* {"type":"string"...: the type in its quotes, then the rest */
    const char *type = schema + strlen("{\"type\":"), *rest = strchr(type + 1, '"') + 1;
    char text[2 * WORD_MAX];
    snprintf(text, sizeof(text), "{\"type\":[%.*s,\"null\"]%s", (int)(rest - type), type, rest);
    fd_jw_raw(w, text, strlen(text));
    *r = ahead;
    return true;
}

static void write_type(struct reader *r, struct fd_json_writer *w)
{
    if (!has_choice(r->at)) {
        write_one(r, w);
        return;
    }
    if (write_enumeration(r, w) || write_nullable(r, w))
        return;
    fd_jw_object(w);
    fd_jw_key(w, "anyOf");
    fd_jw_array(w);
    do {
        write_one(r, w);
    } while (!r->bad && take(r, '|'));
    fd_jw_end_array(w);
    fd_jw_end_object(w);
}

bool shape_write(struct fd_json_writer *w, const char *shape)
{
    struct reader r = {.at = shape};

    write_type(&r, w);
    skip_space(&r);
    return !r.bad && *r.at == '\0' && !w->failed;
}
