/* A web server with bad manners, for tests: a thread a connection, on 127.0.0.2 (what
 * may be reached) and 127.0.0.1 (what must not), the same free port on both. */
#ifndef FD_T_WEB_FIXTURE_H
#define FD_T_WEB_FIXTURE_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int port;
static int listeners[2];
static int good_connections, bad_connections; /* atomic */
static char last_request[65536];

static void say(int fd, const char *text)
{
    (void)!write(fd, text, strlen(text));
}

static void answer(int fd, const char *path)
{
    char byte;

    if (strncmp(path, "/ok", 3) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n"
                "Retry-After: 7\r\n\r\n{\"a\": 1}");
    } else if (strncmp(path, "/status", 7) == 0) {
        say(fd, "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nSet-Cookie: a=b\r\n\r\noops");
    } else if (strncmp(path, "/redirect/odd", 13) == 0) {
        char location[400] = "/\xff\x80\t";

        for (size_t at = strlen(location); at + 2 < sizeof(location); at += 2)
            memcpy(location + at, "\xd7\xa9", 3);
        say(fd, "HTTP/1.1 302 Found\r\nLocation: ");
        say(fd, location);
        say(fd, "\r\nContent-Length: 0\r\n\r\n");
    } else if (strncmp(path, "/redirect", 9) == 0) {
        say(fd, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n");
    } else if (strncmp(path, "/endless", 8) == 0) {
        static char block[65536];

        say(fd, "HTTP/1.1 200 OK\r\n\r\n");
        memset(block, 'x', sizeof(block));
        while (write(fd, block, sizeof(block)) > 0)
            ;
    } else if (strncmp(path, "/slow", 5) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while (write(fd, "x", 1) > 0)
            usleep(20000);
    } else if (strncmp(path, "/silent", 7) == 0) {
        (void)!read(fd, &byte, 1);
    } else if (strncmp(path, "/cut", 4) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    } else if (strncmp(path, "/headers", 8) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 5000; i++)
            say(fd, "X-Filler: 0123456789012345678901234567890123456789\r\n");
    } else if (strncmp(path, "/garbage", 8) == 0) {
        say(fd, "I am no HTTP server\r\n\r\n");
    } else if (strncmp(path, "/empty", 6) == 0) {
        say(fd, "HTTP/1.1 204 No Content\r\n\r\n");
    } else if (strncmp(path, "/nul", 4) == 0) {
        (void)!write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\0b", 41);
    }
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    size_t len = 0;

    for (;;) {
        ssize_t got = read(fd, last_request + len, sizeof(last_request) - 1 - len);
        const char *end, *length;

        if (got <= 0)
            break;
        len += (size_t)got;
        last_request[len] = '\0';
        end = strstr(last_request, "\r\n\r\n");
        length = strstr(last_request, "Content-Length: ");
        if (end == NULL ||
            (length != NULL && len < (size_t)(end + 4 - last_request) + (size_t)atoi(length + 16)))
            continue;
        answer(fd, strchr(last_request, ' ') + 1);
        break;
    }
    close(fd);
    return NULL;
}

static void *accept_all(void *arg)
{
    int i = (int)(intptr_t)arg;

    for (;;) {
        int fd = accept(listeners[i], NULL, NULL);
        pthread_t thread;

        if (fd < 0)
            return NULL;
        __atomic_add_fetch(i == 0 ? &good_connections : &bad_connections, 1, __ATOMIC_SEQ_CST);
        pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd);
        pthread_detach(thread);
    }
}

/* The same free port on both addresses. */
static int listen_on(int i, const char *ip)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t len = sizeof(address);
    pthread_t thread;
    int yes = 1;

    inet_pton(AF_INET, ip, &address.sin_addr);
    listeners[i] = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listeners[i], SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(listeners[i], (struct sockaddr *)&address, len) != 0 ||
        listen(listeners[i], 64) != 0 ||
        getsockname(listeners[i], (struct sockaddr *)&address, &len) != 0)
        return -1;
    port = ntohs(address.sin_port);
    return pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)i);
}

#endif
