/*
 * Visible: a stranger's text as a reader sees it. Control characters, direction
 * overrides and invisible characters are left out, so that nothing can hide in it or
 * pretend to be a line of its own. Pure; valid UTF-8 whatever comes in.
 */
#ifndef FD_CORE_VISIBLE_H
#define FD_CORE_VISIBLE_H

#include "core/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* False: it has no place in a text that others read. */
bool visible_code(uint32_t code);
/* One line of at most `max` bytes, white space collapsed and trimmed. NULL: nothing is left. */
const char *visible_line(struct arena *a, const char *text, size_t max);
/* Lines as they are. */
const char *visible_text(struct arena *a, const char *text, size_t max);

#endif
