#include "admin/listen.h"

#include "core/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG     128
#define SOCKET_MODE 0660 /* nginx's workers are in the group of this process */

/* The lock dies with the process, its file stays: removed, two could hold one each. */
static bool take_lock(struct listener *listener, const char *path, char error[256])
{
    char name[128];

    snprintf(name, sizeof(name), "%s.lock", path);
    listener->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (listener->lock == -1) {
        snprintf(error, 256, "cannot make %s: %s", name, strerror(errno));
        return false;
    }
    if (flock(listener->lock, LOCK_EX | LOCK_NB) != 0) {
        snprintf(error, 256, "another frontdesk admin listens on unix:%s", path);
        return false;
    }
    return true;
}

static int bind_unix(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct stat old;

    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    if (lstat(path, &old) == 0 && S_ISSOCK(old.st_mode))
        unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -1;
    if (bind(fd, (const struct sockaddr *)&name, sizeof(name)) == 0 &&
        chmod(path, SOCKET_MODE) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static bool open_unix(struct listener *listener, const char *path, char error[256])
{
    if (!take_lock(listener, path, error))
        return false;
    listener->fd = bind_unix(path);
    if (listener->fd == -1)
        snprintf(error, 256, "cannot listen on unix:%s: %s", path, strerror(errno));
    return listener->fd != -1;
}

/* The socket address, and its length; 0: not one of loopback. */
static socklen_t loopback(const struct address *address, struct sockaddr_storage *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)address->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)address->port)};

    if (inet_pton(AF_INET, address->host, &v4.sin_addr) == 1) {
        memcpy(out, &v4, sizeof(v4));
        return ntohl(v4.sin_addr.s_addr) >> 24 == 127 ? sizeof(v4) : 0;
    }
    inet_pton(AF_INET6, address->host, &v6.sin6_addr);
    memcpy(out, &v6, sizeof(v6));
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) ? sizeof(v6) : 0;
}

static bool open_port(struct listener *listener, const struct address *address, char error[256])
{
    struct sockaddr_storage name;
    socklen_t size = loopback(address, &name);
    const int yes = 1;

    if (size == 0) {
        snprintf(error, 256,
                 "%s can be reached from outside: FRONTDESK_ADMIN_LISTEN takes a unix "
                 "socket, or a port on 127.0.0.1 or [::1]",
                 address->host);
        return false;
    }
    int fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd != -1 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
        bind(fd, (const struct sockaddr *)&name, size) == 0 && listen(fd, BACKLOG) == 0) {
        listener->fd = fd;
        return true;
    }
    snprintf(error, 256, "cannot listen on %s port %d: %s", address->host, address->port,
             strerror(errno));
    if (fd != -1)
        close(fd);
    return false;
}

bool listen_open(struct listener *listener, const char *text, char error[256])
{
    struct address address;

    *listener = (struct listener){.fd = -1, .lock = -1};
    if (text == NULL || !address_parse(text, &address)) {
        snprintf(error, 256, "FRONTDESK_ADMIN_LISTEN: unix:/path or IP:port would be right");
        return false;
    }
    bool ok = address.is_unix ? open_unix(listener, address.host, error)
                              : open_port(listener, &address, error);
    if (!ok)
        listen_close(listener);
    return ok;
}

/* The socket's file stays: whoever connects is refused, as by a port. */
void listen_close(struct listener *listener)
{
    if (listener->fd != -1)
        close(listener->fd);
    if (listener->lock != -1)
        close(listener->lock);
    *listener = (struct listener){.fd = -1, .lock = -1};
}
