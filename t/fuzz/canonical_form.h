/* What is read from its canonical form has the same canonical form. */
#ifndef T_FUZZ_CANONICAL_FORM_H
#define T_FUZZ_CANONICAL_FORM_H

#include "core/arena.h"
#include "core/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* False: the text is refused. */
typedef bool canonical_form(struct arena *arena, const char *text, size_t len, struct buf *out);

static inline void canonical_form_check(canonical_form *canonical, const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buf once, twice;

    arena_init(&arena);
    buf_init(&once, 1 << 24);
    buf_init(&twice, 1 << 24);
    if (canonical(&arena, (const char *)data, size, &once)) {
        if (!canonical(&arena, once.data, once.len, &twice) || strcmp(once.data, twice.data) != 0)
            abort();
    }
    buf_free(&once);
    buf_free(&twice);
    arena_free(&arena);
}

#endif
