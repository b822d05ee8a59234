/*
 * Import: a file of knowledge, turned into Markdown (ENG-13). What a file is its bytes
 * decide; its name and its declared type only tell one kind of text from another.
 */
#ifndef FD_TENANT_IMPORT_H
#define FD_TENANT_IMPORT_H

#include "core/arena.h"

#include <stdbool.h>
#include <stddef.h>

#define IMPORT_PDF_MAX  20971520 /* bytes of a PDF */
#define IMPORT_TEXT_MAX 4194304  /* bytes of anything else */

enum import_format {
    IMPORT_TEXT,
    IMPORT_MARKDOWN,
    IMPORT_HTML,
    IMPORT_PDF,
    IMPORT_CSV, /* rows of question and answer */
    IMPORT_FORMATS
};
const char *import_format_name(enum import_format format); /* "text", "markdown", ... */
bool import_format_valid(const char *name);

struct import_file {
    const char *bytes;
    size_t len;
    const char *format;       /* what it must be, by the name of a format; NULL: as its bytes say */
    const char *content_type; /* lower case, without parameters; NULL or "" = not declared */
    const char *name;         /* file name or URL; NULL = none */
};

struct import_text {
    enum import_format format;
    const char *markdown; /* UTF-8 without control characters, at most ARTICLE_MAX bytes */
    size_t len;
    const char *title; /* that the file itself names; NULL = none */
};

enum import_verdict {
    IMPORT_OK,
    IMPORT_TOO_LARGE,
    IMPORT_UNKNOWN_TYPE, /* none of the formats, or not the one it is said to be */
    IMPORT_UNREADABLE,   /* of its format, but broken, empty or locked */
    IMPORT_UNAVAILABLE   /* what reads this format is missing here */
};

#define IMPORT_ERROR_SIZE 256

/* error: a sentence for whoever sent the file. Reading a PDF runs another program
 * (tenant/sandbox.h) and takes its time. */
enum import_verdict import_read(struct arena *a, const struct import_file *file,
                                struct import_text *text, char error[IMPORT_ERROR_SIZE]);

#endif
