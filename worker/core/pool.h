/*
 * Pool: the threads where work may block. "The loop streams, the pool
 * transacts": run() executes on a pool thread with that thread's own resource
 * (a database connection), done() on the loop thread afterwards. Submitted from the
 * loop thread; a task begins once what its turn had to send is sent.
 */
#ifndef FD_CORE_POOL_H
#define FD_CORE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct pool;

struct pool_thread_hooks {
    void *(*open)(void *arg);      /* on the thread, before its first task; may return NULL */
    void (*close)(void *resource); /* on the thread, at its end */
    void *arg;
};

struct pool *pool_new(struct loop *loop, int threads, struct pool_thread_hooks hooks);
/* Waits for running tasks; queued ones are dropped after done(arg) ran with ran = false. */
void pool_free(struct pool *pool);
/* Queue length is bounded (`max_queue` 4096): false = full, nothing will be called. */
bool pool_submit(struct pool *pool, void (*run)(void *resource, void *arg),
                 void (*done)(void *arg, bool ran), void *arg);
size_t pool_queued(const struct pool *pool);

#endif
