/* File: a whole small file into an arena. */
#ifndef FD_CORE_FILE_H
#define FD_CORE_FILE_H

#include "core/arena.h"

/* NUL terminated. NULL: it cannot be read or has more than max bytes; error says so,
 * with the path. */
char *file_read(struct arena *a, const char *path, size_t max, size_t *len, char error[256]);

#endif
