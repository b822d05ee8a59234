/*
 * Buf: a growing byte buffer with a hard bound. What would pass the bound is
 * not appended and latches `over`, so that one check at the end is enough.
 */
#ifndef FD_CORE_BUF_H
#define FD_CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/json.h"

struct buf {
    char *data; /* NUL terminated once anything was appended; NULL before */
    size_t len;
    size_t cap;
    size_t max;
    bool over;
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);
void buf_wipe(struct buf *b);                /* the same, for one that may hold a secret */
void buf_reset(struct buf *b);               /* empty, memory kept, over cleared */
void buf_consume(struct buf *b, size_t len); /* drop from the front */
bool buf_append(struct buf *b, const void *data, size_t len);
bool buf_puts(struct buf *b, const char *s);
bool buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A JSON writer that appends to b; check w.failed at the end. b must outlive it
 * and must not be appended to by others meanwhile; buf_json_end() sets b->len. */
void buf_json(struct buf *b, struct fd_json_writer *w);
bool buf_json_end(struct buf *b, struct fd_json_writer *w); /* false: latched */

#endif
