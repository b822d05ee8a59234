#include "chat/crumb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct crumb {
    int fd;
    char (*slots)[FD_JOB_ID_SIZE];
    atomic_int next;
};

#define CRUMB_BYTES ((size_t)CRUMB_SLOTS * FD_JOB_ID_SIZE)

/* A job that several threads worked on is charged once. */
static void collect(const struct crumb *crumb, struct crumb_left *left)
{
    left->count = 0;
    for (int i = 0; i < CRUMB_SLOTS; i++) {
        const char *job = crumb->slots[i];
        bool seen = !fd_job_id_valid(job, strnlen(job, FD_JOB_ID_SIZE));
        for (int k = 0; k < left->count && !seen; k++)
            seen = strcmp(left->jobs[k], job) == 0;
        if (!seen)
            memcpy(left->jobs[left->count++], job, FD_JOB_ID_SIZE);
    }
}

static int open_locked(const char *path, const char *name, char error[256])
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd == -1) {
        snprintf(error, 256, "cannot open %.160s: %s", path, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
        if (errno == EWOULDBLOCK)
            snprintf(error, 256,
                     "a worker named \"%s\" is running; give this one its own "
                     "FRONTDESK_WORKER_NAME",
                     name);
        else
            snprintf(error, 256, "cannot lock %.160s: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    if (ftruncate(fd, CRUMB_BYTES) == -1) {
        snprintf(error, 256, "cannot size %.160s: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

struct crumb *crumb_open(const char *dir, const char *name, struct crumb_left *left,
                         char error[256])
{
    if (strchr(name, '/') != NULL) {
        snprintf(error, 256, "FRONTDESK_WORKER_NAME is \"%s\"; a name without \"/\" would be right",
                 name);
        return NULL;
    }
    char path[512];
    int len = snprintf(path, sizeof(path), "%s/worker-%s.crumb", dir, name);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        snprintf(error, 256, "FRONTDESK_STATE_DIR is too long");
        return NULL;
    }
    int fd = open_locked(path, name, error);
    if (fd == -1)
        return NULL;

    void *map = mmap(NULL, CRUMB_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        snprintf(error, 256, "cannot map %.160s: %s", path, strerror(errno));
        close(fd);
        return NULL;
    }
    struct crumb *crumb = calloc(1, sizeof(*crumb));
    if (crumb == NULL)
        abort();
    crumb->fd = fd;
    crumb->slots = map;
    atomic_init(&crumb->next, 1);
    collect(crumb, left);
    memset(map, 0, CRUMB_BYTES);
    return crumb;
}

void crumb_close(struct crumb *crumb)
{
    if (crumb == NULL)
        return;
    munmap(crumb->slots, CRUMB_BYTES);
    close(crumb->fd);
    free(crumb);
}

int crumb_slot(struct crumb *crumb)
{
    int slot = atomic_fetch_add(&crumb->next, 1);
    return slot < CRUMB_SLOTS ? slot : -1;
}

void crumb_set(struct crumb *crumb, int slot, const char *job)
{
    if (slot >= 0)
        memcpy(crumb->slots[slot], job, strnlen(job, FD_JOB_ID_SIZE - 1) + 1);
}

void crumb_clear(struct crumb *crumb, int slot)
{
    if (slot >= 0)
        crumb->slots[slot][0] = '\0';
}
