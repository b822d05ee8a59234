#define _GNU_SOURCE /* memfd_create, close_range, pipe2 */
#include "tenant/sandbox.h"

#include "core/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY     65534
#define FILES_MAX  32
#define READ_BYTES 65536
#define POLL_MS    5 /* between looks whether it has ended */

/* Statuses of the child before it becomes the program. */
#define EXIT_REFUSED 125
#define EXIT_MISSING 127

/* -- in the child: only what is safe between fork and exec of a threaded process ---------- */

static bool limit(int what, rlim_t most)
{
    struct rlimit bound = {most, most};
    return setrlimit(what, &bound) == 0;
}

static bool limits(const struct sandbox_job *job)
{
    return limit(RLIMIT_AS, job->memory) && limit(RLIMIT_CPU, (rlim_t)job->cpu_s) &&
           limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_NOFILE, FILES_MAX) && limit(RLIMIT_CORE, 0);
}

/* The calls themselves: glibc's would look for other threads, which are not here. */
static bool give_up_root(void)
{
    return geteuid() != 0 || (syscall(SYS_setgroups, 0, NULL) == 0 &&
                              syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) == 0 &&
                              syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) == 0);
}

static void default_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
}

__attribute__((noreturn)) static void become(const struct sandbox_job *job, int input, int output,
                                             pid_t parent)
{
    char *const environment[] = {NULL};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    default_signals();
    if (null < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(null, 2) < 0 ||
        close_range(3, ~0u, 0) != 0 || chdir("/") != 0)
        _exit(EXIT_REFUSED);
    sandbox_landlock();
    /* No more processes, only once its user is the last one: else, where that user runs anything
     * already, execve() would be refused. */
    if (!limits(job) || !give_up_root() || !limit(RLIMIT_NPROC, 0) ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
        access(job->argv[0], X_OK) != 0)
        _exit(access(job->argv[0], X_OK) != 0 ? EXIT_MISSING : EXIT_REFUSED);
    if (!sandbox_filter())
        _exit(EXIT_REFUSED);
    execve(job->argv[0], (char *const *)(uintptr_t)job->argv, environment);
    _exit(EXIT_MISSING);
}

/* -- in the parent ------------------------------------------------------------------------- */

/* A file without a name, which the child reads: no writing to it can block. */
static int input_of(const struct sandbox_job *job)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    size_t sent = 0;

    while (fd >= 0 && sent < job->input_len) {
        ssize_t n = write(fd, job->input + sent, job->input_len - sent);
        if (n < 0 && errno != EINTR) {
            close(fd);
            return -1;
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

static enum sandbox_end read_output(int fd, int64_t until, struct buf *out)
{
    char bytes[READ_BYTES];

    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int64_t left = until - clock_mono_ms();
        if (left <= 0)
            return SANDBOX_TIMEOUT;
        if (poll(&ready, 1, (int)left) <= 0)
            continue;
        ssize_t n = read(fd, bytes, sizeof(bytes));
        if (n == 0 || (n < 0 && errno != EINTR))
            return SANDBOX_OK;
        if (n > 0 && !buf_append(out, bytes, (size_t)n))
            return SANDBOX_TOO_LARGE;
    }
}

static bool has_ended(pid_t child, int *status)
{
    return waitpid(child, status, WNOHANG) == child;
}

static enum sandbox_end verdict(int status)
{
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL ? SANDBOX_TIMEOUT
                                                                          : SANDBOX_FAILED;
    switch (WEXITSTATUS(status)) {
    case 0: return SANDBOX_OK;
    case EXIT_REFUSED: return SANDBOX_REFUSED;
    case EXIT_MISSING: return SANDBOX_MISSING;
    default: return SANDBOX_FAILED;
    }
}

/* It may have closed its output and gone on. */
static enum sandbox_end await(pid_t child, int64_t until, enum sandbox_end end)
{
    const struct timespec pause = {0, POLL_MS * 1000000};
    int status = 0;

    while (end == SANDBOX_OK && clock_mono_ms() < until) {
        if (has_ended(child, &status))
            return verdict(status);
        nanosleep(&pause, NULL);
    }
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return end == SANDBOX_OK ? SANDBOX_TIMEOUT : end;
}

enum sandbox_end sandbox_run(const struct sandbox_job *job, struct buf *out)
{
    int64_t until = clock_mono_ms() + job->time_ms;
    int output[2], input = input_of(job);
    pid_t parent = getpid();

    if (input < 0 || pipe2(output, O_CLOEXEC) != 0) {
        if (input >= 0)
            close(input);
        return SANDBOX_REFUSED;
    }
    pid_t child = fork();
    if (child == 0)
        become(job, input, output[1], parent);
    close(input);
    close(output[1]);
    enum sandbox_end end = SANDBOX_REFUSED;
    if (child > 0)
        end = await(child, until, read_output(output[0], until, out));
    close(output[0]);
    return end;
}
