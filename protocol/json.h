/*
 * JSON, read and written strictly, the same way in nginx and in the worker.
 *
 * Reading is yajl's SAX parser behind a guard, because yajl alone lets through
 * what PostgreSQL refuses later or what two parsers may read differently
 * (reference: RFC 8259, RFC 3629, RFC 7493): invalid and overlong UTF-8, lone
 * surrogates, NUL, duplicate keys, deep nesting, numbers out of range.
 */
#ifndef FD_PROTOCOL_JSON_H
#define FD_PROTOCOL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The caller's allocator; memory is never freed piecewise (a pool, an arena).
 * NULL on failure, which ends the parse with FD_JSON_NO_MEMORY. */
struct fd_alloc {
    void *(*alloc)(void *ctx, size_t size);
    void *ctx;
};

enum fd_json_type {
    FD_JSON_NULL,
    FD_JSON_BOOL,
    FD_JSON_NUMBER,
    FD_JSON_STRING,
    FD_JSON_ARRAY,
    FD_JSON_OBJECT
};

struct fd_json {
    enum fd_json_type type;
    const char *key; /* NUL terminated; NULL outside an object */
    size_t key_len;
    const char *text; /* a string's bytes or a number's digits, NUL terminated */
    size_t text_len;
    double number;   /* of a number */
    int64_t integer; /* of a number, if is_integer */
    bool is_integer;
    bool boolean;
    size_t count;          /* children of an array or object */
    struct fd_json *child; /* the first */
    struct fd_json *next;  /* sibling */
};

enum fd_json_error {
    FD_JSON_OK,
    FD_JSON_SYNTAX,
    FD_JSON_TOO_DEEP,
    FD_JSON_TOO_MANY, /* nodes, or keys of one object */
    FD_JSON_UTF8,
    FD_JSON_NUL,
    FD_JSON_DUPLICATE, /* a key twice in one object */
    FD_JSON_RANGE,     /* a number beyond a double */
    FD_JSON_NO_MEMORY
};

struct fd_json_limits {
    unsigned depth; /* 0 = FD_JSON_DEPTH_MAX */
    unsigned nodes; /* 0 = FD_JSON_NODES_MAX */
};

struct fd_json_fault {
    enum fd_json_error error;
    size_t offset;   /* byte where it was noticed */
    char where[128]; /* path of the value, "context.title", "" at the top */
};

/* Parses one value and nothing after it but white space. NULL on a fault. */
struct fd_json *fd_json_parse(const char *text, size_t len, struct fd_json_limits limits,
                              struct fd_alloc alloc, struct fd_json_fault *fault);
/* A sentence for a person: what is wrong, without the where. */
const char *fd_json_error_text(enum fd_json_error error);

/* Look-ups; all take NULL and answer NULL / the default on a missing or
 * differently typed value. */
const struct fd_json *fd_json_get(const struct fd_json *object, const char *key);
const char *fd_json_string(const struct fd_json *object, const char *key); /* NUL terminated */
bool fd_json_bool(const struct fd_json *object, const char *key, bool otherwise);
int64_t fd_json_int(const struct fd_json *object, const char *key, int64_t otherwise);
double fd_json_double(const struct fd_json *object, const char *key, double otherwise);

/* RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF. */
bool fd_utf8_valid(const char *s, size_t len);
/* Length of the sequence that starts at s[0], 1 to 4; 0 = it is not valid. left > 0. */
size_t fd_utf8_sequence(const char *s, size_t left);

/*
 * Writing. Appends to a growing buffer of the caller; commas and quotes are the
 * writer's work; the first fault is latched and makes every later call a no-op,
 * so one check at the end is enough.
 */
struct fd_json_writer {
    /* Makes room for `more` bytes after `len`, may move `data`; false = latched. */
    bool (*grow)(struct fd_json_writer *w, size_t more);
    void *ctx;
    char *data;
    size_t len;
    size_t cap;
    unsigned depth;
    bool failed;
    bool comma[32];   /* a comma is due at this depth */
    bool keyed;       /* a key was just written */
    uint32_t objects; /* bit per depth: an object is open there, not an array */
};

void fd_jw_object(struct fd_json_writer *w);
void fd_jw_end_object(struct fd_json_writer *w);
void fd_jw_array(struct fd_json_writer *w);
void fd_jw_end_array(struct fd_json_writer *w);
void fd_jw_key(struct fd_json_writer *w, const char *key);
/* Invalid UTF-8 and NUL become U+FFFD. */
void fd_jw_string(struct fd_json_writer *w, const char *s, size_t len);
void fd_jw_cstring(struct fd_json_writer *w, const char *s); /* NULL writes null */
void fd_jw_int(struct fd_json_writer *w, int64_t value);
void fd_jw_double(struct fd_json_writer *w, double value); /* shortest; NaN and infinity fail */
void fd_jw_bool(struct fd_json_writer *w, bool value);
void fd_jw_null(struct fd_json_writer *w);
void fd_jw_raw(struct fd_json_writer *w, const char *json, size_t len); /* a finished value */
void fd_jw_json(struct fd_json_writer *w, const struct fd_json *value);

/* key + value in one; a NULL value is null; raw is a finished value */
void fd_jw_member(struct fd_json_writer *w, const char *key, const char *value);
void fd_jw_member_int(struct fd_json_writer *w, const char *key, int64_t value);
void fd_jw_member_bool(struct fd_json_writer *w, const char *key, bool value);
void fd_jw_member_raw(struct fd_json_writer *w, const char *key, const char *json);

#endif
