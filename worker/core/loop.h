/*
 * Loop: the event loop of a process (libevent), its timers, and the way to run
 * work after the current callback has returned.
 */
#ifndef FD_CORE_LOOP_H
#define FD_CORE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop;
struct timer; /* owned by its user; timer_free() disarms */

struct loop *loop_new(void);
void loop_free(struct loop *loop);
void loop_run(struct loop *loop); /* until loop_stop() */
void loop_stop(struct loop *loop);
struct event_base *loop_base(struct loop *loop);

/* Calls fn(arg) on every SIGTERM/SIGINT/SIGHUP that arrives. */
void loop_on_signal(struct loop *loop, int signo, void (*fn)(void *arg, int signo), void *arg);

/* Runs fn(arg) once, in this loop turn but after the current callback. FIFO. */
void loop_defer(struct loop *loop, void (*fn)(void *arg), void *arg);
/* Takes back every deferred fn(arg): arg is about to go. */
void loop_undefer(struct loop *loop, void (*fn)(void *arg), void *arg);
/* Runs fn(arg) at the end of every loop turn, after the deferred calls: flushes. The
 * latest registered runs first, so that a lower layer flushes what those above wrote. */
void loop_on_turn_end(struct loop *loop, void (*fn)(void *arg), void *arg);
void loop_off_turn_end(struct loop *loop, void (*fn)(void *arg), void *arg);

struct timer *timer_new(struct loop *loop, void (*fn)(void *arg), void *arg);
void timer_set(struct timer *timer, int64_t ms); /* once, from now; re-arming is cheap */
void timer_stop(struct timer *timer);
bool timer_armed(const struct timer *timer);
void timer_free(struct timer *timer); /* NULL is fine */

#endif
