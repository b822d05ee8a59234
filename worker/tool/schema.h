/*
 * Schema: JSON Schema, the part of draft 2020-12 that tools use. Compiled once; what
 * is not supported is refused there by name, so that a schema never means less than
 * it says. Checking is bounded in time and depth, whatever the schema and the value.
 * Pure.
 *
 * Supported: boolean schemas; type, enum, const; properties, required,
 * additionalProperties, minProperties, maxProperties; items, prefixItems, minItems,
 * maxItems, uniqueItems; minLength, maxLength, pattern; minimum, maximum,
 * exclusiveMinimum, exclusiveMaximum, multipleOf; allOf, anyOf, oneOf, not; $ref
 * within the schema, $defs, definitions. Asserted formats: date, date-time, email,
 * uri, uuid. Annotations (title, description, default, ...) and x-... are ignored.
 */
#ifndef FD_TOOL_SCHEMA_H
#define FD_TOOL_SCHEMA_H

#include "core/arena.h"
#include "protocol/json.h"

#include <stdbool.h>

struct tool_schema;

#define TOOL_SCHEMA_MAX   32768 /* bytes of a schema's text */
#define TOOL_SCHEMA_DEPTH 24    /* its nesting; also of the values that are checked */
#define TOOL_SCHEMA_NODES 2000

struct tool_schema_fault {
    char where[192]; /* JSON path: "$.properties.day", "$.items[2]" */
    char text[512];  /* what is wrong and what would be right */
};

/* The compiled schema points into `json`: both live in arenas that last as long. NULL:
 * fault says which keyword is not supported, or wrong. */
const struct tool_schema *tool_schema_compile(struct arena *a, const struct fd_json *json,
                                              struct tool_schema_fault *fault);

/* False: fault says where and what would be right, for the model to correct itself. */
bool tool_schema_check(const struct tool_schema *schema, const struct fd_json *value,
                       struct tool_schema_fault *fault);

/* From text: an object schema, as tools need it. *json is the parsed schema. */
const struct tool_schema *tool_schema_read(struct arena *a, const char *text, size_t len,
                                           const struct fd_json **json,
                                           struct tool_schema_fault *fault);

#endif
