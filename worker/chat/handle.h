/*
 * Handle: a number that stands for an object which may be gone when a late reply
 * comes back. Small enough to travel as a callback's argument; it never names a
 * later object in the same place. Loop thread only.
 */
#ifndef FD_CHAT_HANDLE_H
#define FD_CHAT_HANDLE_H

#include <stdint.h>

typedef uint64_t handle; /* 0 = none */

_Static_assert(sizeof(void *) >= sizeof(handle), "a handle travels as a pointer");

enum handle_kind { HANDLE_JOB = 1, HANDLE_OUTBOX };

handle handle_make(enum handle_kind kind, void *object);
/* NULL: dropped, or of another kind. */
void *handle_find(enum handle_kind kind, handle h);
void handle_drop(handle h); /* 0 is fine */

static inline void *handle_arg(handle h)
{
    return (void *)(uintptr_t)h;
}

static inline handle handle_of(const void *arg)
{
    return (handle)(uintptr_t)arg;
}

#endif
