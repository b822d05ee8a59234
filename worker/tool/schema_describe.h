/* Schemas and values in words, for the sentence that tells a model what would be right. */
#ifndef FD_TOOL_SCHEMA_DESCRIBE_H
#define FD_TOOL_SCHEMA_DESCRIBE_H

#include "protocol/json.h"
#include "tool/line.h"
#include "tool/schema.h"

/* "an integer from 1 to 10", "one of \"s\", \"m\", \"l\"" */
void schema_describe(struct line *line, const struct tool_schema *schema);
/* "the string \"two\"", "an array of 3" */
void schema_describe_value(struct line *line, const struct fd_json *value);

#endif
