/*
 * Language: of a message, by its letters: "he", "ar", "ru", ... Pure.
 */
#ifndef FD_CORE_LANGUAGE_H
#define FD_CORE_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

/* `otherwise` (may be NULL) where no script decides: no letters, or Latin ones, unless
 * that default is not written in Latin letters: then they are taken for "en". */
const char *language_of(const char *text, size_t len, const char *otherwise);
/* The text says by itself in which script its writer writes: not "OK", not an order number,
 * not three brands around one word. */
bool language_is_clear(const char *text, size_t len);

#endif
