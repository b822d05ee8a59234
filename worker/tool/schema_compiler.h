/*
 * Schema compiler: what schema.c, which compiles a schema and all that are in it, shares with
 * schema_keyword.c, which knows the keywords.
 */
#ifndef FD_TOOL_SCHEMA_COMPILER_H
#define FD_TOOL_SCHEMA_COMPILER_H

#include "tool/schema_node.h"
#include "tool/schema_path.h"

/* Every schema that was compiled, for references to find. */
struct schema_compiled {
    const struct fd_json *json;
    struct tool_schema *schema;
    struct schema_compiled *next;
};

struct schema_reference {
    struct tool_schema *from;
    const struct fd_json *target;
    const char *text;
    struct schema_reference *next;
};

struct schema_compiler {
    struct arena *a;
    const struct fd_json *root;
    struct tool_schema_fault *fault;
    struct schema_compiled *all;
    struct schema_reference *references;
    struct schema_reference **references_end;
    pcre2_compile_context *patterns; /* its memory is the arena's */
};

/* NULL: the fault says what is wrong. */
struct tool_schema *schema_compile(struct schema_compiler *c, const struct fd_json *json,
                                   const struct schema_path *at);
/* Reads a keyword into the schema; *known: there is such a keyword. False: it is wrong. */
bool schema_keyword_read(struct schema_compiler *c, struct tool_schema *schema,
                         const struct fd_json *value, const struct schema_path *at, bool *known);
/* Tells it; false. */
bool schema_wrong(struct schema_compiler *c, const struct schema_path *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
