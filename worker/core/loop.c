#include "core/loop.h"
#include "core/log.h"

#include <signal.h>
#include <stdlib.h>

#include <event2/event.h>
#include <event2/event_struct.h>

struct deferred {
    void (*fn)(void *arg);
    void *arg;
};

struct signal_watch {
    struct event ev;
    void (*fn)(void *arg, int signo);
    void *arg;
    struct signal_watch *next;
};

struct hook {
    void (*fn)(void *arg);
    void *arg;
    struct hook *next;
};

struct timer {
    struct event ev;
    void (*fn)(void *arg);
    void *arg;
};

struct loop {
    struct event_base *base;
    bool stopping;
    struct deferred *queue; /* a ring */
    size_t queue_cap;       /* a power of two */
    size_t queue_head;
    size_t queue_len;
    struct hook *hooks;     /* the latest first */
    struct hook *next_hook; /* while they run: any of them may be taken off */
    struct signal_watch *signals;
};

#define QUEUE_FIRST_CAP 64

/* The loop is the process: without memory for it, or for the call that frees
 * something, there is no way on. */
static void *must(void *memory)
{
    if (memory == NULL) {
        log_error(NULL, "loop.no_memory");
        abort();
    }
    return memory;
}

struct loop *loop_new(void)
{
    struct loop *loop = must(calloc(1, sizeof(*loop)));
    struct event_config *config = must(event_config_new());

    /* one thread only: no locks */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    loop->base = must(event_base_new_with_config(config));
    event_config_free(config);
    loop->queue_cap = QUEUE_FIRST_CAP;
    loop->queue = must(calloc(loop->queue_cap, sizeof(*loop->queue)));
    return loop;
}

void loop_free(struct loop *loop)
{
    while (loop->signals != NULL) {
        struct signal_watch *watch = loop->signals;

        loop->signals = watch->next;
        event_del(&watch->ev);
        free(watch);
    }
    while (loop->hooks != NULL) {
        struct hook *hook = loop->hooks;

        loop->hooks = hook->next;
        free(hook);
    }
    event_base_free(loop->base);
    free(loop->queue);
    free(loop);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

/* As many as are there now: what they add comes after the events of the next turn,
 * so that nothing starves. */
static void run_deferred(struct loop *loop)
{
    for (size_t left = loop->queue_len; left > 0 && loop->queue_len > 0; left--) {
        struct deferred call = loop->queue[loop->queue_head];

        loop->queue_head = (loop->queue_head + 1) & (loop->queue_cap - 1);
        loop->queue_len--;
        if (call.fn != NULL)
            call.fn(call.arg);
    }
}

static void end_turn(struct loop *loop)
{
    run_deferred(loop);
    loop->next_hook = loop->hooks;
    while (loop->next_hook != NULL) {
        struct hook *hook = loop->next_hook;

        loop->next_hook = hook->next;
        hook->fn(hook->arg);
    }
}

void loop_run(struct loop *loop)
{
    loop->stopping = false;
    end_turn(loop);
    while (!loop->stopping) {
        int how = loop->queue_len > 0 ? EVLOOP_ONCE | EVLOOP_NONBLOCK : EVLOOP_ONCE;
        int rc = event_base_loop(loop->base, how);

        if (rc < 0) {
            log_error(NULL, "loop.failed");
            return;
        }
        if (rc > 0 && loop->queue_len == 0)
            return; /* nothing is left to wait for */
        end_turn(loop);
    }
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

static void grow_queue(struct loop *loop)
{
    struct deferred *queue = must(calloc(2 * loop->queue_cap, sizeof(*queue)));

    for (size_t i = 0; i < loop->queue_len; i++)
        queue[i] = loop->queue[(loop->queue_head + i) & (loop->queue_cap - 1)];
    free(loop->queue);
    loop->queue = queue;
    loop->queue_head = 0;
    loop->queue_cap *= 2;
}

void loop_defer(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    if (loop->queue_len == loop->queue_cap)
        grow_queue(loop);
    loop->queue[(loop->queue_head + loop->queue_len) & (loop->queue_cap - 1)] =
        (struct deferred){fn, arg};
    loop->queue_len++;
}

void loop_undefer(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    for (size_t i = 0; i < loop->queue_len; i++) {
        struct deferred *call = &loop->queue[(loop->queue_head + i) & (loop->queue_cap - 1)];

        if (call->fn == fn && call->arg == arg)
            call->fn = NULL;
    }
}

void loop_on_turn_end(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    struct hook *hook = must(calloc(1, sizeof(*hook)));

    hook->fn = fn;
    hook->arg = arg;
    hook->next = loop->hooks;
    loop->hooks = hook;
}

void loop_off_turn_end(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    for (struct hook **at = &loop->hooks; *at != NULL; at = &(*at)->next) {
        struct hook *hook = *at;

        if (hook->fn == fn && hook->arg == arg) {
            *at = hook->next;
            if (loop->next_hook == hook)
                loop->next_hook = hook->next;
            free(hook);
            return;
        }
    }
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
    struct signal_watch *watch = arg;

    (void)what;
    watch->fn(watch->arg, (int)signo);
}

void loop_on_signal(struct loop *loop, int signo, void (*fn)(void *arg, int signo), void *arg)
{
    struct signal_watch *watch = must(calloc(1, sizeof(*watch)));

    watch->fn = fn;
    watch->arg = arg;
    watch->next = loop->signals;
    loop->signals = watch;
    if (event_assign(&watch->ev, loop->base, signo, EV_SIGNAL | EV_PERSIST, on_signal, watch) !=
            0 ||
        event_add(&watch->ev, NULL) != 0)
        log_error(NULL, "loop.signal_failed", LOG_INT("signal", signo));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct timer *timer = arg;

    (void)fd;
    (void)what;
    timer->fn(timer->arg);
}

struct timer *timer_new(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    struct timer *timer = must(calloc(1, sizeof(*timer)));

    timer->fn = fn;
    timer->arg = arg;
    evtimer_assign(&timer->ev, loop->base, on_timer, timer);
    return timer;
}

void timer_set(struct timer *timer, int64_t ms)
{
    struct timeval delay;

    if (ms < 0)
        ms = 0;
    delay.tv_sec = (time_t)(ms / 1000);
    delay.tv_usec = (suseconds_t)(ms % 1000 * 1000);
    if (evtimer_add(&timer->ev, &delay) != 0)
        log_error(NULL, "loop.timer_failed");
}

void timer_stop(struct timer *timer)
{
    evtimer_del(&timer->ev);
}

bool timer_armed(const struct timer *timer)
{
    return evtimer_pending(&timer->ev, NULL) != 0;
}

void timer_free(struct timer *timer)
{
    if (timer == NULL)
        return;
    evtimer_del(&timer->ev);
    free(timer);
}
