/* A compiled schema: what schema.c builds and schema_check.c walks. */
#ifndef FD_TOOL_SCHEMA_NODE_H
#define FD_TOOL_SCHEMA_NODE_H

#include "protocol/json.h"
#include "tool/schema.h"
#include "tool/schema_format.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdint.h>

enum schema_type {
    SCHEMA_NULL = 1,
    SCHEMA_BOOLEAN = 2,
    SCHEMA_INTEGER = 4,
    SCHEMA_NUMBER = 8,
    SCHEMA_STRING = 16,
    SCHEMA_ARRAY = 32,
    SCHEMA_OBJECT = 64
};

struct schema_list {
    struct tool_schema **list;
    size_t count;
};

struct schema_property {
    const char *name;
    struct tool_schema *schema;
};

struct tool_schema {
    bool never;     /* the schema `false` */
    unsigned types; /* of enum schema_type; 0 = any */
    const struct fd_json *constant;
    const struct fd_json *enumeration; /* the array */

    struct schema_property *properties;
    size_t property_count;
    const struct fd_json *required; /* the array */
    struct tool_schema *additional; /* NULL = anything */
    int64_t min_properties, max_properties;

    struct schema_list prefix;
    struct tool_schema *items; /* of those behind the prefix; NULL = anything */
    int64_t min_items, max_items;
    bool unique_items;

    int64_t min_length, max_length; /* code points */
    const char *pattern_text;
    pcre2_code *pattern;
    enum schema_format format;

    const struct fd_json *minimum, *maximum, *exclusive_minimum, *exclusive_maximum;
    const struct fd_json *multiple_of;

    struct schema_list all_of, any_of, one_of;
    struct tool_schema *negated;
    struct tool_schema *ref;

    bool entered, left; /* while cycles of schemas that consume nothing are looked for */
};

#endif
