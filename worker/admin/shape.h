/*
 * Shape: what an answer looks like, in one line of C, written out as JSON Schema:
 *
 *     {id: uuid, name: text, status: live|revoked, origins: [text], expires_at?: time|null}
 *
 * A member with "?" may be absent, "|" is one of several; text, int, number, bool, null, uuid,
 * time, date, json (anything) and object (with any members) are types, {*: int} is an object
 * whose members have names of their own, and every other word is itself, a constant. At the
 * top, `stream` (server-sent events), `file` and `html` stand for what is no JSON.
 */
#ifndef FD_ADMIN_SHAPE_H
#define FD_ADMIN_SHAPE_H

#include "protocol/json.h"

/* False: the shape is not well formed. */
bool shape_write(struct fd_json_writer *w, const char *shape);

#endif
