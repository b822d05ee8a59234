#include "core/pool.h"
#include "core/log.h"
#include "core/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#define MAX_QUEUE 4096

struct task {
    void (*run)(void *resource, void *arg);
    void (*done)(void *arg, bool ran);
    void *arg;
    struct task *next;
};

struct task_list {
    struct task *first;
    struct task **end;
    _Atomic size_t count; /* read without the lock by pool_queued() */
};

struct pool {
    struct loop *loop;
    struct pool_thread_hooks hooks;
    size_t unwoken;    /* tasks that no thread was woken for yet */
    struct event wake; /* on the loop: tasks are done */
    int wake_fd;
    int threads;
    pthread_t *ids;

    pthread_mutex_t lock; /* over all below */
    pthread_cond_t work;
    struct task_list queued;
    struct task_list done;
    bool stopping;
};

static void list_init(struct task_list *list)
{
    list->first = NULL;
    list->end = &list->first;
    list->count = 0;
}

static void list_add(struct task_list *list, struct task *task)
{
    task->next = NULL;
    *list->end = task;
    list->end = &task->next;
    list->count++;
}

static struct task *list_take(struct task_list *list)
{
    struct task *task = list->first;

    if (task == NULL)
        return NULL;
    list->first = task->next;
    if (list->first == NULL)
        list->end = &list->first;
    list->count--;
    return task;
}

static void wake_loop(const struct pool *pool)
{
    uint64_t one = 1;

    /* fails only when the counter is full, and then the loop is awake anyway */
    if (write(pool->wake_fd, &one, sizeof(one)) < 0)
        return;
}

/* The next task, or NULL when the pool stops. */
static struct task *next_task(struct pool *pool)
{
    struct task *task;

    pthread_mutex_lock(&pool->lock);
    while (pool->queued.first == NULL && !pool->stopping)
        pthread_cond_wait(&pool->work, &pool->lock);
    task = pool->stopping ? NULL : list_take(&pool->queued);
    pthread_mutex_unlock(&pool->lock);
    return task;
}

/* At the end of the turn, behind what was there first to be sent: a thread that begins
 * at once may take the processor from whom a token is on its way to. */
static void wake_threads(void *arg)
{
    struct pool *pool = arg;

    for (; pool->unwoken > 0; pool->unwoken--)
        pthread_cond_signal(&pool->work);
}

static void *thread_main(void *arg)
{
    struct pool *pool = arg;
    void *resource = NULL;
    bool opened = false;
    struct task *task;

    while ((task = next_task(pool)) != NULL) {
        if (!opened && pool->hooks.open != NULL)
            resource = pool->hooks.open(pool->hooks.arg);
        opened = true;
        task->run(resource, task->arg);
        pthread_mutex_lock(&pool->lock);
        list_add(&pool->done, task);
        pthread_mutex_unlock(&pool->lock);
        wake_loop(pool);
    }
    if (opened && pool->hooks.close != NULL)
        pool->hooks.close(resource);
    return NULL;
}

/* Gives the list's tasks back to their owners, outside of the lock. */
static void finish_list(struct pool *pool, struct task_list *list, bool ran)
{
    struct task *task;
    struct task *next;

    pthread_mutex_lock(&pool->lock);
    task = list->first;
    list_init(list);
    pthread_mutex_unlock(&pool->lock);
    for (; task != NULL; task = next) {
        next = task->next;
        task->done(task->arg, ran);
        free(task);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct pool *pool = arg;
    uint64_t count;

    (void)what;
    if (read((int)fd, &count, sizeof(count)) < 0)
        return;
    finish_list(pool, &pool->done, true);
}

/* Signals are the loop thread's: the pool's threads block them all. */
static bool start_threads(struct pool *pool, int threads)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool->threads < threads &&
           pthread_create(&pool->ids[pool->threads], NULL, thread_main, pool) == 0)
        pool->threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool->threads == threads;
}

struct pool *pool_new(struct loop *loop, int threads, struct pool_thread_hooks hooks)
{
    struct pool *pool = calloc(1, sizeof(*pool));

    if (pool == NULL)
        return NULL;
    pool->loop = loop;
    pool->hooks = hooks;
    loop_on_turn_end(loop, wake_threads, pool);
    list_init(&pool->queued);
    list_init(&pool->done);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pool->ids = calloc((size_t)threads, sizeof(*pool->ids));
    event_assign(&pool->wake, loop_base(loop), pool->wake_fd, EV_READ | EV_PERSIST, on_wake, pool);
    if (pool->wake_fd < 0 || pool->ids == NULL || event_add(&pool->wake, NULL) != 0 ||
        !start_threads(pool, threads)) {
        log_error(NULL, "pool.start_failed", LOG_INT("threads", threads));
        pool_free(pool);
        return NULL;
    }
    return pool;
}

void pool_free(struct pool *pool)
{
    loop_off_turn_end(pool->loop, wake_threads, pool);
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->threads; i++)
        pthread_join(pool->ids[i], NULL);

    finish_list(pool, &pool->done, true);
    finish_list(pool, &pool->queued, false);
    if (pool->wake_fd >= 0) {
        event_del(&pool->wake);
        close(pool->wake_fd);
    }
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool->ids);
    free(pool);
}

bool pool_submit(struct pool *pool, void (*run)(void *resource, void *arg),
                 void (*done)(void *arg, bool ran), void *arg)
{
    struct task *task;
    bool room;

    task = malloc(sizeof(*task));
    if (task == NULL)
        return false;
    *task = (struct task){.run = run, .done = done, .arg = arg};
    pthread_mutex_lock(&pool->lock);
    room = pool->queued.count < MAX_QUEUE && !pool->stopping;
    if (room)
        list_add(&pool->queued, task);
    pthread_mutex_unlock(&pool->lock);
    if (room)
        pool->unwoken++;
    else
        free(task);
    return room;
}

size_t pool_queued(const struct pool *pool)
{
    return pool->queued.count;
}
