/* The admin API: its token, and whether it answers where nginx looks for it. */
#include "cmd/doctor.h"

#include "admin/identity.h"
#include "admin/mailer.h"
#include "core/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_S 2

static void check_token(struct findings *findings, const struct config *config)
{
    const char *path = config->admin_token_file;
    struct stat info;

    if (config->admin_token != NULL) {
        FINDINGS_CHECK(findings, strlen(config->admin_token) >= IDENTITY_TOKEN_MIN, FINDING_FAIL,
                       "admin.token", "set FRONTDESK_ADMIN_TOKEN to 32 random characters or more",
                       "%zu characters", strlen(config->admin_token));
        return;
    }
    if (path == NULL || stat(path, &info) != 0) {
        findings_add(findings, FINDING_WARN, "admin.token",
                     "set FRONTDESK_ADMIN_TOKEN_FILE to a file with 32 random characters, the same "
                     "that nginx sends (docs/admin-api.md)",
                     "%s%s%s: without it there is no admin API", path != NULL ? path : "not set",
                     path != NULL ? ": " : "", path != NULL ? strerror(errno) : "");
        return;
    }
    FINDINGS_CHECK(findings, (info.st_mode & S_IRWXO) == 0, FINDING_FAIL, "admin.token",
                   "chmod o= the file: who reads it can be anyone", "%s: mode %o", path,
                   (unsigned)info.st_mode & 0777);
}

static void check_mailer(struct findings *findings, const struct config *config)
{
    char error[256] = "links to new passwords are mailed";
    bool whole = mailer_is_whole(config, error);

    if (mailer_is_set_up(config))
        FINDINGS_CHECK(findings, whole, FINDING_FAIL, "admin.reset", "set what is missing", "%s",
                       error);
}

static int connect_to(const struct address *address)
{
    const struct timeval patience = {.tv_sec = ANSWER_S};
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)address->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)address->port)};
    const struct sockaddr *name = (const struct sockaddr *)&path;
    socklen_t size = sizeof(path);

    if (address->is_unix) {
        snprintf(path.sun_path, sizeof(path.sun_path), "%s", address->host);
    } else if (inet_pton(AF_INET, address->host, &v4.sin_addr) == 1) {
        name = (const struct sockaddr *)&v4;
        size = sizeof(v4);
    } else {
        inet_pton(AF_INET6, address->host, &v6.sin6_addr);
        name = (const struct sockaddr *)&v6;
        size = sizeof(v6);
    }
    int fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
        connect(fd, name, size) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* What GET /healthz says: "200", "503"; an error otherwise. */
static bool ask(const struct address *address, char answer[64])
{
    static const char request[] =
        "GET /healthz HTTP/1.1\r\nHost: doctor\r\nConnection: close\r\n\r\n";
    char head[16] = "";

    int fd = connect_to(address);
    if (fd == -1) {
        snprintf(answer, 64, "%s", strerror(errno));
        return false;
    }
    bool ok =
        send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(request) - 1 &&
        recv(fd, head, sizeof("HTTP/1.1 200") - 1, MSG_WAITALL) > 0;
    close(fd);
    snprintf(answer, 64, "%s", ok ? head : "no answer");
    return ok && strcmp(head, "HTTP/1.1 200") == 0;
}

void doctor_admin(struct findings *findings, const struct config *config)
{
    struct address address;
    char answer[64];

    check_token(findings, config);
    check_mailer(findings, config);
    if (!address_parse(config->admin_listen, &address))
        return; /* config_load() has said so */
    bool ok = ask(&address, answer);
    FINDINGS_CHECK(findings, ok, FINDING_WARN, "admin", "start `frontdesk admin` on this host",
                   "%s: %s", config->admin_listen, ok ? "answers" : answer);
}
