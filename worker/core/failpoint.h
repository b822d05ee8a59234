/*
 * Failpoint: a named moment at which a test has the process killed, as by SIGKILL. Only
 * in debug and sanitizer builds (FD_FAILPOINTS); a release has none of it.
 *
 * FRONTDESK_FAIL_AT=name[:n] kills at the n-th time (1 unless said) the moment comes.
 */
#ifndef FD_CORE_FAILPOINT_H
#define FD_CORE_FAILPOINT_H

#ifdef FD_FAILPOINTS
void failpoint(const char *name);
#else
static inline void failpoint(const char *name)
{
    (void)name;
}
#endif

#endif
