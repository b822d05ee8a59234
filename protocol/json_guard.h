/*
 * What yajl lets through and RFC 8259, RFC 3629 and PostgreSQL do not: invalid
 * UTF-8, lone surrogates, NUL, form feeds. Used by json_read.c alone.
 */
#ifndef FD_PROTOCOL_JSON_GUARD_H
#define FD_PROTOCOL_JSON_GUARD_H

#include "protocol/json.h"

/* Offset of the first fault, with *error set; or len and FD_JSON_OK. */
size_t fd_json_guard(const char *text, size_t len, enum fd_json_error *error);

#endif
