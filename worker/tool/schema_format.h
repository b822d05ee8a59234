/* Formats of JSON Schema that are asserted. Pure. */
#ifndef FD_TOOL_SCHEMA_FORMAT_H
#define FD_TOOL_SCHEMA_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

enum schema_format {
    SCHEMA_ANY_FORMAT, /* none, or one that is only an annotation */
    SCHEMA_DATE,
    SCHEMA_DATE_TIME,
    SCHEMA_EMAIL,
    SCHEMA_URI,
    SCHEMA_UUID
};

enum schema_format schema_format_named(const char *name);
bool schema_format_holds(enum schema_format format, const char *text, size_t len);
/* "a date such as 2026-03-14" */
const char *schema_format_example(enum schema_format format);

#endif
