#include "core/failpoint.h"

#ifdef FD_FAILPOINTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void failpoint(const char *name)
{
    static atomic_long seen;
    const char *wanted = getenv("FRONTDESK_FAIL_AT");
    size_t len = strlen(name);
    if (wanted == NULL || strncmp(wanted, name, len) != 0)
        return;
    if (wanted[len] != '\0' && wanted[len] != ':')
        return;
    long nth = wanted[len] == ':' ? atol(wanted + len + 1) : 1;
    if (atomic_fetch_add(&seen, 1) + 1 == nth)
        kill(getpid(), SIGKILL);
}

#endif
