/*
 * Arena: memory that is freed all at once. A job, a call and a decoded chunk
 * each own one; whatever is parsed or built for them lives there.
 */
#ifndef FD_CORE_ARENA_H
#define FD_CORE_ARENA_H

#include <stddef.h>

#include "protocol/json.h" /* struct fd_alloc */

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes handed out since the last reset */
};

void arena_init(struct arena *a);
void arena_free(struct arena *a); /* every block; the arena can be used again */
void arena_wipe(struct arena *a); /* the same, for one with secrets: nothing of it stays */
/* Aligned to 16; never NULL: memory that cannot be had ends the process, so
 * sizes that a stranger controls must be bounded before they get here. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_zalloc(struct arena *a, size_t size);
char *arena_strndup(struct arena *a, const char *s, size_t len); /* NUL terminated */
char *arena_strdup(struct arena *a, const char *s);              /* NULL gives NULL */
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct fd_alloc arena_allocator(struct arena *a);

#endif
