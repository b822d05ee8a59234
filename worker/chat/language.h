/*
 * Language: of a message, by its letters: "he", "ar", "ru", ... Pure.
 */
#ifndef FD_CHAT_LANGUAGE_H
#define FD_CHAT_LANGUAGE_H

#include <stddef.h>

/* `otherwise` (may be NULL) where no script decides: no letters, or Latin ones, unless
 * that default is not written in Latin letters: then they are taken for "en". */
const char *language_of(const char *text, size_t len, const char *otherwise);

#endif
