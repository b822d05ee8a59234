/*
 * Schema: what a body may have: a table of members beside the routes, which says it for the
 * check before the handler and for the API's description alike. What no member of the body
 * says by itself - this with that, a name that is taken - is the handler's to refuse.
 */
#ifndef FD_ADMIN_SCHEMA_H
#define FD_ADMIN_SCHEMA_H

#include "protocol/json.h"

#include <stddef.h>

/* What a member may be; several: one of them. */
enum admin_kind {
    ADMIN_TEXT = 1,
    ADMIN_INT = 2,
    ADMIN_NUMBER = 4,
    ADMIN_BOOL = 8,
    ADMIN_TEXTS = 16, /* a list of texts */
    ADMIN_OBJECT = 32,
    ADMIN_LIST = 64, /* of objects */
    ADMIN_NULL = 128,
    ADMIN_ANY = 256
};

struct admin_field {
    const char *name;
    unsigned kind;
    bool required;
    bool empty;         /* a text of no bytes is one, too */
    int64_t min;        /* of a number */
    int64_t max;        /* of a number; bytes of a text; texts of a list; 0: the body's own */
    const char *one_of; /* "pk|sk": a text, or a list's, is one of these */
    const char *format; /* of a text, for the description: "email", "uri", "uuid" */
    const char *note;   /* a line, for the description */
    const struct admin_body *members; /* of an object, or of a list's objects; NULL: any */
};

struct admin_body {
    const struct admin_field *fields;
    size_t count;
    /* Writes the schema where the operation has a table, and checks by it, itself. */
    void (*write)(struct fd_json_writer *w);
    const char *media; /* instead of JSON, or beside it: "text/markdown" */
};
#define ADMIN_BODY(table)                                                                          \
    (&(const struct admin_body){.fields = (table), .count = sizeof(table) / sizeof((table)[0])})

#define SCHEMA_FIELD_MAX  256
#define SCHEMA_DETAIL_MAX 512

struct schema_fault {
    char field[SCHEMA_FIELD_MAX]; /* "features.prechat", "fields[1].name" */
    char detail[SCHEMA_DETAIL_MAX];
};

/* body NULL: no member at all. False: the fault says which, and what would be right. */
bool schema_check(const struct admin_body *body, const struct fd_json *object,
                  struct schema_fault *fault);
/* As JSON Schema (2020-12). */
void schema_write(struct fd_json_writer *w, const struct admin_body *body);

#endif
