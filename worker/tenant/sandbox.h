/*
 * Sandbox: another program, run on bytes that a stranger sent. It reads them from its
 * standard input and answers on its standard output; that is all it has of the world:
 * no network, no file to write, no process to start, an empty environment, bounded
 * memory, processor, time and output. It is killed when it passes a bound.
 *
 * What holds it: a seccomp filter (without which it is not started), resource limits, on
 * kernels that have it Landlock (reads below /usr and of fonts alone), and, where we are
 * root, the user `nobody`. For a pool thread or a command; not for the loop.
 */
#ifndef FD_TENANT_SANDBOX_H
#define FD_TENANT_SANDBOX_H

#include "core/buf.h"

enum sandbox_end {
    SANDBOX_OK,        /* it ended with status 0 */
    SANDBOX_FAILED,    /* it ended with another status, or was killed by a bound of memory
                          or of the kernel's */
    SANDBOX_TIMEOUT,   /* too much time, of the clock or of the processor */
    SANDBOX_TOO_LARGE, /* its output has more than out->max bytes */
    SANDBOX_MISSING,   /* there is no such program */
    SANDBOX_REFUSED    /* this kernel cannot hold it */
};

struct sandbox_job {
    const char *const *argv; /* argv[0] is an absolute path; NULL at the end */
    const char *input;
    size_t input_len;
    int time_ms;   /* of the clock */
    int cpu_s;     /* of the processor */
    size_t memory; /* bytes of its address space */
};

enum sandbox_end sandbox_run(const struct sandbox_job *job, struct buf *out);

/* Applied to the calling process, which may then only do what is said above and exec;
 * false: the kernel refuses. sandbox_filter.c; safe between fork and exec. */
bool sandbox_filter(void);
/* Best effort; safe between fork and exec. */
void sandbox_landlock(void);

#endif
