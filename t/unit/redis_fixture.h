/* A real redis-server on a unix socket in a directory of its own, for unit tests. */
#ifndef T_UNIT_REDIS_FIXTURE_H
#define T_UNIT_REDIS_FIXTURE_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

struct redis_fixture {
    char dir[64];
    char socket[96];
    char address[104];
    pid_t pid;
};

static inline bool fixture_ready(const struct redis_fixture *f)
{
    for (int tries = 0; tries < 500; tries++) {
        redisContext *c = redisConnectUnix(f->socket);
        bool up = c != NULL && c->err == 0;

        if (c != NULL)
            redisFree(c);
        if (up)
            return true;
        usleep(10000);
    }
    return false;
}

static inline bool fixture_start(struct redis_fixture *f)
{
    f->pid = fork();
    if (f->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (freopen("/dev/null", "w", stdout) == NULL)
            _exit(127);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", f->socket, "--dir",
               f->dir, "--save", "", "--appendonly", "no", (char *)NULL);
        _exit(127);
    }
    return f->pid > 0 && fixture_ready(f);
}

static inline bool fixture_init(struct redis_fixture *f)
{
    snprintf(f->dir, sizeof(f->dir), "/tmp/fd-redis-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        return false;
    snprintf(f->socket, sizeof(f->socket), "%s/s", f->dir);
    snprintf(f->address, sizeof(f->address), "unix:%s", f->socket);
    return true;
}

static inline void fixture_kill(struct redis_fixture *f)
{
    if (f->pid > 0) {
        kill(f->pid, SIGKILL);
        waitpid(f->pid, NULL, 0);
    }
    f->pid = 0;
}

static inline void fixture_end(struct redis_fixture *f)
{
    fixture_kill(f);
    unlink(f->socket);
    rmdir(f->dir);
}

/* One command from outside, over a connection of its own. */
static inline long long fixture_do(const struct redis_fixture *f, const char *command)
{
    redisContext *c = redisConnectUnix(f->socket);
    redisReply *reply = c != NULL && c->err == 0 ? redisCommand(c, command) : NULL;
    long long answer = reply != NULL ? reply->integer : -1;

    if (reply != NULL)
        freeReplyObject(reply);
    if (c != NULL)
        redisFree(c);
    return answer;
}

#endif
