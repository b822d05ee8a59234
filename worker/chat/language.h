/* Language: of a message, by its letters ("he", "en", "ar", "ru", ...; the given
 * default when no script decides). Pure. */
#ifndef FD_CHAT_LANGUAGE_H
#define FD_CHAT_LANGUAGE_H

#include <stddef.h>

const char *language_of(const char *text, size_t len, const char *otherwise);

#endif
