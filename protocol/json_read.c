#include "protocol/json.h"
#include "protocol/json_guard.h"
#include "protocol/limits.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

/* One open array or object. */
struct frame {
    struct fd_json *node;
    struct fd_json *last; /* its latest child */
    const char *key;      /* of the member that is being read */
    size_t key_len;
};

struct parser {
    struct fd_alloc alloc;
    unsigned max_depth;
    unsigned max_nodes;
    unsigned nodes;
    unsigned depth;
    struct frame *frames;
    struct fd_json *root;
    enum fd_json_error error;
    jmp_buf no_memory; /* yajl does not look at what its allocator returns */
};

static void *parser_alloc(struct parser *p, size_t size)
{
    void *memory = p->alloc.alloc(p->alloc.ctx, size);

    if (memory == NULL)
        longjmp(p->no_memory, 1);
    return memory;
}

/* yajl's own memory comes from the caller's allocator too, which frees all at
 * once: a parse that is abandoned half-way cannot leak. The old size stands in
 * front of a block, for realloc. */
#define SIZE_HEADER 16

static void *yajl_malloc(void *ctx, size_t size)
{
    char *block;

    if (size > SIZE_MAX - SIZE_HEADER)
        longjmp(((struct parser *)ctx)->no_memory, 1);
    block = parser_alloc(ctx, size + SIZE_HEADER);
    memcpy(block, &size, sizeof(size));
    return block + SIZE_HEADER;
}

static void *yajl_realloc(void *ctx, void *old, size_t size)
{
    size_t old_size;
    void *block;

    if (old == NULL)
        return yajl_malloc(ctx, size);
    memcpy(&old_size, (char *)old - SIZE_HEADER, sizeof(old_size));
    if (size <= old_size)
        return old;
    block = yajl_malloc(ctx, size);
    memcpy(block, old, old_size);
    return block;
}

static void yajl_no_free(void *ctx, void *block)
{
    (void)ctx;
    (void)block;
}

static int fail(struct parser *p, enum fd_json_error error)
{
    p->error = error;
    return 0;
}

static const char *copy(struct parser *p, const char *s, size_t len)
{
    char *to = parser_alloc(p, len + 1);

    if (len > 0)
        memcpy(to, s, len);
    to[len] = '\0';
    return to;
}

/* Adds a value to the open array or object; NULL: too many. */
static struct fd_json *add(struct parser *p, enum fd_json_type type)
{
    struct frame *frame = p->depth > 0 ? &p->frames[p->depth - 1] : NULL;
    struct fd_json *node;

    if (p->nodes++ >= p->max_nodes) {
        p->error = FD_JSON_TOO_MANY;
        return NULL;
    }
    node = parser_alloc(p, sizeof(*node));
    memset(node, 0, sizeof(*node));
    node->type = type;
    if (frame == NULL) {
        p->root = node;
        return node;
    }
    node->key = frame->key;
    node->key_len = frame->key_len;
    frame->key = NULL;
    if (frame->last == NULL)
        frame->node->child = node;
    else
        frame->last->next = node;
    frame->last = node;
    frame->node->count++;
    return node;
}

static int on_null(void *ctx)
{
    return add(ctx, FD_JSON_NULL) != NULL;
}

static int on_boolean(void *ctx, int value)
{
    struct fd_json *node = add(ctx, FD_JSON_BOOL);

    if (node == NULL)
        return 0;
    node->boolean = value != 0;
    return 1;
}

static int on_number(void *ctx, const char *text, size_t len)
{
    struct parser *p = ctx;
    struct fd_json *node = add(p, FD_JSON_NUMBER);

    if (node == NULL)
        return 0;
    node->text = copy(p, text, len);
    node->text_len = len;
    node->number = strtod(node->text, NULL);
    if (!isfinite(node->number))
        return fail(p, FD_JSON_RANGE);
    if (strpbrk(node->text, ".eE") == NULL) {
        errno = 0;
        node->integer = strtoll(node->text, NULL, 10);
        node->is_integer = errno == 0;
    }
    return 1;
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    struct parser *p = ctx;
    struct fd_json *node = add(p, FD_JSON_STRING);

    if (node == NULL)
        return 0;
    node->text = copy(p, (const char *)text, len);
    node->text_len = len;
    return 1;
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    struct parser *p = ctx;
    struct frame *frame = &p->frames[p->depth - 1];

    if (p->nodes++ >= p->max_nodes || frame->node->count >= FD_JSON_KEYS_MAX)
        return fail(p, FD_JSON_TOO_MANY);
    frame->key = copy(p, (const char *)text, len);
    frame->key_len = len;
    for (const struct fd_json *seen = frame->node->child; seen != NULL; seen = seen->next) {
        if (seen->key_len == len && memcmp(seen->key, text, len) == 0)
            return fail(p, FD_JSON_DUPLICATE);
    }
    return 1;
}

static int on_start(struct parser *p, enum fd_json_type type)
{
    struct fd_json *node;

    if (p->depth >= p->max_depth)
        return fail(p, FD_JSON_TOO_DEEP);
    node = add(p, type);
    if (node == NULL)
        return 0;
    p->frames[p->depth] = (struct frame){.node = node};
    p->depth++;
    return 1;
}

static int on_start_map(void *ctx)
{
    return on_start(ctx, FD_JSON_OBJECT);
}

static int on_start_array(void *ctx)
{
    return on_start(ctx, FD_JSON_ARRAY);
}

static int on_end(void *ctx)
{
    struct parser *p = ctx;

    p->depth--;
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end,
};

/* "items[2].name": where the parser stands. Of the innermost frame that is the
 * value it is about to read, or the one it just read. */
static void describe_place(const struct parser *p, bool just_read, char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < p->depth && len < size; i++) {
        const struct frame *frame = &p->frames[i];
        bool at_last = frame->last != NULL && (just_read || i + 1 < p->depth);
        const char *key = at_last ? frame->last->key : frame->key;
        int written = 0;

        if (frame->node->type == FD_JSON_ARRAY)
            written = snprintf(out + len, size - len, "[%zu]", frame->node->count - at_last);
        else if (key != NULL)
            written = snprintf(out + len, size - len, "%s%s", len > 0 ? "." : "", key);
        if (written > 0)
            len += (size_t)written;
    }
}

/* A path that was cut inside a character is cut before it. */
static void trim_utf8(char *s)
{
    size_t len = strlen(s);

    while (len > 0 && !fd_utf8_valid(s, len))
        s[--len] = '\0';
}

static void report(const struct parser *p, enum fd_json_error error, size_t offset,
                   struct fd_json_fault *fault)
{
    fault->error = error;
    fault->offset = offset;
    describe_place(p, error == FD_JSON_RANGE, fault->where, sizeof(fault->where));
    trim_utf8(fault->where);
}

static struct fd_json *parse(struct parser *p, const char *text, size_t len,
                             struct fd_json_fault *fault)
{
    yajl_alloc_funcs memory = {yajl_malloc, yajl_realloc, yajl_no_free, p};
    enum fd_json_error guarded;
    yajl_handle yajl;
    yajl_status status;
    size_t clean, offset;

    if (setjmp(p->no_memory) != 0) {
        fault->error = FD_JSON_NO_MEMORY;
        return NULL;
    }
    p->frames = parser_alloc(p, p->max_depth * sizeof(*p->frames));
    yajl = yajl_alloc(&callbacks, &memory, p);
    if (yajl == NULL) {
        fault->error = FD_JSON_NO_MEMORY;
        return NULL;
    }

    /* yajl reads up to what the guard found, so that the earlier fault is the
     * one reported and its place is known. */
    clean = fd_json_guard(text, len, &guarded);
    status = yajl_parse(yajl, (const unsigned char *)text, clean);
    offset = yajl_get_bytes_consumed(yajl);
    if (status == yajl_status_ok && guarded == FD_JSON_OK) {
        status = yajl_complete_parse(yajl);
        offset = len;
    }
    if (p->error == FD_JSON_OK && status != yajl_status_ok)
        p->error = FD_JSON_SYNTAX;
    if (p->error == FD_JSON_OK && guarded != FD_JSON_OK) {
        p->error = guarded;
        offset = clean;
    }
    if (p->error != FD_JSON_OK) {
        report(p, p->error, offset, fault);
        return NULL;
    }
    return p->root;
}

struct fd_json *fd_json_parse(const char *text, size_t len, struct fd_json_limits limits,
                              struct fd_alloc alloc, struct fd_json_fault *fault)
{
    struct parser parser = {
        .alloc = alloc,
        .max_depth = limits.depth > 0 ? limits.depth : FD_JSON_DEPTH_MAX,
        .max_nodes = limits.nodes > 0 ? limits.nodes : FD_JSON_NODES_MAX,
    };

    *fault = (struct fd_json_fault){.error = FD_JSON_OK};
    return parse(&parser, text, len, fault);
}

const char *fd_json_error_text(enum fd_json_error error)
{
    switch (error) {
    case FD_JSON_OK: return "nothing is wrong";
    case FD_JSON_SYNTAX: return "this is not well-formed JSON";
    case FD_JSON_TOO_DEEP: return "arrays and objects are nested too deeply";
    case FD_JSON_TOO_MANY: return "there are too many values or keys";
    case FD_JSON_UTF8: return "text must be valid UTF-8, with surrogates in pairs";
    case FD_JSON_NUL: return "the character U+0000 is not allowed";
    case FD_JSON_DUPLICATE: return "the same key stands twice in one object";
    case FD_JSON_RANGE: return "the number is out of range";
    case FD_JSON_NO_MEMORY: return "there is not enough memory";
    }
    return "unknown";
}

const struct fd_json *fd_json_get(const struct fd_json *object, const char *key)
{
    if (object == NULL || object->type != FD_JSON_OBJECT)
        return NULL;
    for (const struct fd_json *child = object->child; child != NULL; child = child->next) {
        if (strcmp(child->key, key) == 0)
            return child;
    }
    return NULL;
}

const char *fd_json_string(const struct fd_json *object, const char *key)
{
    const struct fd_json *value = fd_json_get(object, key);

    return value != NULL && value->type == FD_JSON_STRING ? value->text : NULL;
}

bool fd_json_bool(const struct fd_json *object, const char *key, bool otherwise)
{
    const struct fd_json *value = fd_json_get(object, key);

    return value != NULL && value->type == FD_JSON_BOOL ? value->boolean : otherwise;
}

int64_t fd_json_int(const struct fd_json *object, const char *key, int64_t otherwise)
{
    const struct fd_json *value = fd_json_get(object, key);

    return value != NULL && value->is_integer ? value->integer : otherwise;
}

double fd_json_double(const struct fd_json *object, const char *key, double otherwise)
{
    const struct fd_json *value = fd_json_get(object, key);

    return value != NULL && value->type == FD_JSON_NUMBER ? value->number : otherwise;
}
