#include "core/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define ALIGNMENT   16
#define FIRST_BLOCK 2048
#define BLOCK_MAX   65536

struct arena_block {
    struct arena_block *next;
    size_t size; /* bytes of data */
    size_t used;
    _Alignas(ALIGNMENT) char data[];
};

static void out_of_memory(void)
{
    fputs("frontdesk: out of memory\n", stderr);
    abort();
}

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

void arena_free(struct arena *a)
{
    struct arena_block *block = a->blocks;

    while (block != NULL) {
        struct arena_block *next = block->next;

        free(block);
        block = next;
    }
    arena_init(a);
}

void arena_wipe(struct arena *a)
{
    for (struct arena_block *block = a->blocks; block != NULL; block = block->next)
        sodium_memzero(block->data, block->used);
    arena_free(a);
}

/* Blocks double, so that a small arena stays small and a large one is few blocks. */
static struct arena_block *add_block(struct arena *a, size_t at_least)
{
    size_t size = a->blocks == NULL ? FIRST_BLOCK - sizeof(struct arena_block)
                                    : 2 * (a->blocks->size + sizeof(struct arena_block)) -
                                          sizeof(struct arena_block);
    struct arena_block *block;

    if (size > BLOCK_MAX - sizeof(struct arena_block))
        size = BLOCK_MAX - sizeof(struct arena_block);
    if (size < at_least)
        size = at_least;
    block = malloc(sizeof(*block) + size);
    if (block == NULL)
        out_of_memory();
    block->size = size;
    block->used = 0;
    block->next = a->blocks;
    a->blocks = block;
    return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    struct arena_block *block = a->blocks;
    void *memory;

    if (size > SIZE_MAX / 2)
        out_of_memory();
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (block == NULL || block->size - block->used < size)
        block = add_block(a, size);
    memory = block->data + block->used;
    block->used += size;
    a->used += size;
    return memory;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    return memset(arena_alloc(a, size), 0, size);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    char *copy = arena_alloc(a, len + 1);

    if (len > 0)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return s == NULL ? NULL : arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        out_of_memory();
    text = arena_alloc(a, (size_t)len + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

static void *alloc_from(void *ctx, size_t size)
{
    return arena_alloc(ctx, size);
}

struct fd_alloc arena_allocator(struct arena *a)
{
    return (struct fd_alloc){.alloc = alloc_from, .ctx = a};
}
