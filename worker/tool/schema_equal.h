/* JSON values as JSON Schema compares them: 1 and 1.0 are the same, members have no
 * order. Pure. */
#ifndef FD_TOOL_SCHEMA_EQUAL_H
#define FD_TOOL_SCHEMA_EQUAL_H

#include "protocol/json.h"

#include <stdbool.h>

int schema_number_compare(const struct fd_json *a, const struct fd_json *b);
/* Takes one of *steps a value; false when there are none left. */
bool schema_values_equal(const struct fd_json *a, const struct fd_json *b, unsigned *steps);
bool schema_number_divides(const struct fd_json *divisor, const struct fd_json *value);

#endif
