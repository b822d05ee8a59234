/*
 * Shown: a result as the model is shown it, never longer than it may be. What does not
 * fit is cut where it hurts least - long texts at a sentence or a word, long lists at an
 * element - and says that it was cut; it stays JSON. Pure.
 */
#ifndef FD_TOOL_SHOWN_H
#define FD_TOOL_SHOWN_H

#include "core/arena.h"
#include "protocol/json.h"

#include <stddef.h>

/* {"data": value, "say": say} where there is something to say, else the value. */
const char *shown_json(struct arena *a, const struct fd_json *value, const char *say, size_t max,
                       size_t *len);
/* {"text": ...} */
const char *shown_text(struct arena *a, const char *text, size_t text_len, size_t max, size_t *len);

#endif
