/* Yaml: JSON as people read it: block style, what is short on one line. */
#ifndef FD_CORE_YAML_H
#define FD_CORE_YAML_H

#include "core/buf.h"
#include "protocol/json.h"

void yaml_write(struct buf *out, const struct fd_json *value);

#endif
