#include "core/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 256

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_free(struct buf *b)
{
    free(b->data);
    buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
    if (b->data != NULL)
        explicit_bzero(b->data, b->cap);
    buf_free(b);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->over = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

void buf_consume(struct buf *b, size_t len)
{
    if (len == 0)
        return;
    if (len > b->len)
        len = b->len;
    b->len -= len;
    memmove(b->data, b->data + len, b->len);
    b->data[b->len] = '\0';
}

/* Room for `more` bytes and the NUL. */
static bool reserve(struct buf *b, size_t more)
{
    size_t cap = b->cap > 0 ? b->cap : FIRST_SIZE;
    char *data;

    if (b->over || more > b->max || b->len > b->max - more || b->max == SIZE_MAX) {
        b->over = true;
        return false;
    }
    if (b->len + more < b->cap)
        return true;
    while (cap <= b->len + more)
        cap *= 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    data = realloc(b->data, cap);
    if (data == NULL) {
        b->over = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

bool buf_append(struct buf *b, const void *data, size_t len)
{
    if (!reserve(b, len))
        return false;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return true;
}

bool buf_puts(struct buf *b, const char *s)
{
    return buf_append(b, s, strlen(s));
}

bool buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 || !reserve(b, (size_t)len)) {
        b->over = true;
        return false;
    }
    va_start(args, format);
    vsnprintf(b->data + b->len, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
    return true;
}

static bool grow(struct fd_json_writer *w, size_t more)
{
    struct buf *b = w->ctx;

    b->len = w->len;
    if (!reserve(b, more))
        return false;
    w->data = b->data;
    w->cap = b->cap - 1;
    return true;
}

void buf_json(struct buf *b, struct fd_json_writer *w)
{
    *w = (struct fd_json_writer){
        .grow = grow,
        .ctx = b,
        .data = b->data,
        .len = b->len,
        .cap = b->cap > 0 ? b->cap - 1 : 0,
    };
}

bool buf_json_end(struct buf *b, struct fd_json_writer *w)
{
    if (w->depth > 0 || w->keyed)
        w->failed = true;
    b->len = w->len;
    if (b->data != NULL)
        b->data[b->len] = '\0';
    return !w->failed;
}
