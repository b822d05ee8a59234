/* The system calls that a converter may make. Anything else does not exist for it: C
 * libraries fall back to older calls, and those for sockets, processes and writing files
 * have no older ones. */
#include "tenant/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE

#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)
#define X32_BIT 0x40000000u

#define LOAD(member)                                                                               \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, member))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)
#define ALLOW(call)   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), ANSWER(SECCOMP_RET_ALLOW)
/* Little endian, both: an int argument is in the low half. */
#define ALLOW_READING(call, flags)                                                                 \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 4), LOAD(args[flags]),                      \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, WRITING, 1, 0), ANSWER(SECCOMP_RET_ALLOW),            \
        ANSWER(SECCOMP_RET_ERRNO | EACCES)
#define NOT_THERE ANSWER(SECCOMP_RET_ERRNO | ENOSYS)

static const struct sock_filter filter[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    ANSWER(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
#ifdef __x86_64__
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
    ANSWER(SECCOMP_RET_KILL_PROCESS),
    ALLOW_READING(open, 1),
    ALLOW(access),
    ALLOW(arch_prctl),
    ALLOW(fstat),
    ALLOW(getdents),
    ALLOW(lstat),
    ALLOW(readlink),
    ALLOW(stat),
#else
    ALLOW(fstat),
#endif
    ALLOW_READING(openat, 2),
    ALLOW(brk),
    ALLOW(clock_getres),
    ALLOW(clock_gettime),
    ALLOW(close),
    ALLOW(dup),
    ALLOW(execve),
    ALLOW(exit),
    ALLOW(exit_group),
    ALLOW(faccessat),
    ALLOW(fadvise64),
    ALLOW(fcntl),
    ALLOW(fstatfs),
    ALLOW(futex),
    ALLOW(getcwd),
    ALLOW(getdents64),
    ALLOW(getegid),
    ALLOW(geteuid),
    ALLOW(getgid),
    ALLOW(getpid),
    ALLOW(getrandom),
    ALLOW(gettid),
    ALLOW(getuid),
    ALLOW(ioctl),
    ALLOW(lseek),
    ALLOW(madvise),
    ALLOW(mmap),
    ALLOW(mprotect),
    ALLOW(mremap),
    ALLOW(munmap),
    ALLOW(newfstatat),
    ALLOW(pread64),
    ALLOW(prlimit64),
    ALLOW(read),
    ALLOW(readlinkat),
    ALLOW(readv),
    ALLOW(restart_syscall),
    ALLOW(rseq),
    ALLOW(rt_sigaction),
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigreturn),
    ALLOW(sched_getaffinity),
    ALLOW(sched_yield),
    ALLOW(set_robust_list),
    ALLOW(set_tid_address),
    ALLOW(statfs),
    ALLOW(statx),
    ALLOW(sysinfo),
    ALLOW(uname),
    ALLOW(write),
    ALLOW(writev),
    NOT_THERE,
};

bool sandbox_filter(void)
{
    struct sock_fprog program = {sizeof(filter) / sizeof(*filter),
                                 (struct sock_filter *)(uintptr_t)filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#else

bool sandbox_filter(void)
{
    return false; /* no list of calls for this architecture */
}

#endif
