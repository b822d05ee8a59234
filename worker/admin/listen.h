/* Listen: the socket that nginx talks to, one process at a time. */
#ifndef FD_ADMIN_LISTEN_H
#define FD_ADMIN_LISTEN_H

#include <stdbool.h>

struct listener {
    int fd;   /* -1: none */
    int lock; /* on PATH.lock: whose socket it is; -1: none */
};

/* unix:/path or IP:port, of loopback only: whoever reaches it may ask. A socket that a
 * process left behind when it died is taken over, a living one's is not. */
bool listen_open(struct listener *listener, const char *address, char error[256]);
void listen_close(struct listener *listener);

#endif
