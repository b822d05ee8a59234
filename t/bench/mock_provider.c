/*
 * A model provider for benches: OpenAI's streaming wire format over epoll, fast
 * enough never to be what is measured. The question says what to send:
 *
 *     tokens=N      how many (20)
 *     gap_us=N      between tokens (0: all at once)
 *     first_us=N    before the first (0)
 *
 * Every token is "t<CLOCK_MONOTONIC microseconds> ", so that a client on this
 * machine can tell how long it took to arrive.
 *
 *     mock_provider PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IN_MAX 262144

struct conn {
    int fd;
    char *in;
    size_t in_len, in_cap;
    char *out;
    size_t out_len, out_cap;
    bool writing; /* EPOLLOUT is armed */
    bool active;
    int64_t due; /* microseconds */
    int64_t gap;
    int tokens, sent;
    size_t heap; /* 1-based place, 0 = not in it */
};

static int ep;
static struct conn **heap;
static size_t heap_len, heap_cap;

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void *grow(void *p, size_t size)
{
    p = realloc(p, size);
    if (!p) {
        perror("mock_provider");
        exit(1);
    }
    return p;
}

/* -- a heap of connections by the time of their next token ------------------ */

static void heap_swap(size_t a, size_t b)
{
    struct conn *c = heap[a];

    heap[a] = heap[b];
    heap[b] = c;
    heap[a]->heap = a;
    heap[b]->heap = b;
}

static void heap_fix(size_t i)
{
    while (i > 1 && heap[i]->due < heap[i / 2]->due) {
        heap_swap(i, i / 2);
        i /= 2;
    }
    for (;;) {
        size_t least = i;

        for (size_t child = 2 * i; child <= 2 * i + 1 && child <= heap_len; child++) {
            if (heap[child]->due < heap[least]->due)
                least = child;
        }
        if (least == i)
            return;
        heap_swap(i, least);
        i = least;
    }
}

static void heap_add(struct conn *c)
{
    if (heap_len + 2 > heap_cap) {
        heap_cap = heap_cap ? heap_cap * 2 : 1024;
        heap = grow(heap, heap_cap * sizeof(*heap));
    }
    heap[++heap_len] = c;
    c->heap = heap_len;
    heap_fix(heap_len);
}

static void heap_remove(struct conn *c)
{
    size_t i = c->heap;

    if (i == 0)
        return;
    c->heap = 0;
    if (i != heap_len) {
        heap[i] = heap[heap_len];
        heap[i]->heap = i;
    }
    heap_len--;
    if (i <= heap_len)
        heap_fix(i);
}

/* -- connections ---------------------------------------------------------------- */

static void conn_close(struct conn *c)
{
    heap_remove(c);
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

static void arm(struct conn *c, bool writing)
{
    struct epoll_event e = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = c};

    if (c->writing == writing)
        return;
    c->writing = writing;
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}

/* False: the connection is gone. */
static bool flush(struct conn *c)
{
    size_t done = 0;

    while (done < c->out_len) {
        ssize_t n = write(c->fd, c->out + done, c->out_len - done);

        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            conn_close(c);
            return false;
        }
        done += (size_t)n;
    }
    memmove(c->out, c->out + done, c->out_len - done);
    c->out_len -= done;
    arm(c, c->out_len > 0);
    return true;
}

static void put(struct conn *c, const char *s, size_t len)
{
    if (c->out_len + len > c->out_cap) {
        c->out_cap = (c->out_len + len) * 2;
        c->out = grow(c->out, c->out_cap);
    }
    memcpy(c->out + c->out_len, s, len);
    c->out_len += len;
}

static void put_chunk(struct conn *c, const char *s, size_t len)
{
    char head[32];
    int n = snprintf(head, sizeof(head), "%zx\r\n", len);

    put(c, head, (size_t)n);
    put(c, s, len);
    put(c, "\r\n", 2);
}

#define EVENT                                                                                      \
    "data: "                                                                                       \
    "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1763600000,"      \
    "\"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}]}\n\n"

static void put_event(struct conn *c, const char *delta, const char *finish)
{
    char event[512];
    int n = snprintf(event, sizeof(event), EVENT, delta, finish);

    put_chunk(c, event, (size_t)n);
}

static void finish(struct conn *c)
{
    char usage[256];
    int n;

    put_event(c, "{}", "\"stop\"");
    n = snprintf(usage, sizeof(usage),
                 "data: {\"id\":\"chatcmpl-bench\",\"choices\":[],\"usage\":{\"prompt_tokens\":10,"
                 "\"completion_tokens\":%d,\"total_tokens\":%d}}\n\n",
                 c->tokens, c->tokens + 10);
    put_chunk(c, usage, (size_t)n);
    put_chunk(c, "data: [DONE]\n\n", 14);
    put(c, "0\r\n\r\n", 5);
    c->active = false;
    heap_remove(c);
}

/* Sends every token that is due. */
static void step(struct conn *c, int64_t now)
{
    while (c->active && c->due <= now) {
        char delta[64];

        snprintf(delta, sizeof(delta), "{\"content\":\"t%lld \"}", (long long)now_us());
        put_event(c, delta, "null");
        c->due += c->gap;
        if (++c->sent == c->tokens)
            finish(c);
        else
            heap_fix(c->heap);
    }
    flush(c);
}

static long number(const char *body, const char *name, long otherwise)
{
    const char *p = strstr(body, name);

    return p ? strtol(p + strlen(name), NULL, 10) : otherwise;
}

static void answer(struct conn *c, const char *body)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";

    c->tokens = (int)number(body, "tokens=", 20);
    c->gap = number(body, "gap_us=", 0);
    c->sent = 0;
    c->active = true;
    c->due = now_us() + number(body, "first_us=", 0);
    put(c, head, sizeof(head) - 1);
    put_event(c, "{\"role\":\"assistant\",\"content\":\"\"}", "null");
    heap_add(c);
    step(c, now_us());
}

/* Takes whole requests from c->in. False: the connection is gone. */
static bool requests(struct conn *c)
{
    for (;;) {
        char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
        char *length_at;
        size_t head, length = 0;

        if (!end)
            return true;
        head = (size_t)(end - c->in) + 4;
        *end = '\0';
        length_at = strcasestr(c->in, "content-length:");
        *end = '\r';
        if (length_at)
            length = strtoul(length_at + 15, NULL, 10);
        if (c->in_len < head + length)
            return true;
        char *body = strndup(c->in + head, length);
        memmove(c->in, c->in + head + length, c->in_len - head - length);
        c->in_len -= head + length;
        answer(c, body);
        free(body);
        return true; /* one at a time: clients do not pipeline */
    }
}

static void readable(struct conn *c)
{
    ssize_t n;

    if (c->in_cap - c->in_len < 65536) {
        c->in_cap = c->in_len + 65537;
        if (c->in_cap > IN_MAX * 4) {
            conn_close(c);
            return;
        }
        c->in = grow(c->in, c->in_cap);
    }
    n = read(c->fd, c->in + c->in_len, c->in_cap - c->in_len - 1);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        conn_close(c);
        return;
    }
    c->in_len += (size_t)n;
    requests(c);
}

static void accept_all(int listener)
{
    int fd, on = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct conn *c = calloc(1, sizeof(*c));
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};

        if (!c)
            exit(1);
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    }
}

static int listen_on(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 4096)) {
        perror("mock_provider: bind");
        exit(1);
    }
    return fd;
}

static int timeout_ms(int64_t now)
{
    if (heap_len == 0)
        return -1;
    return heap[1]->due <= now ? 0 : (int)((heap[1]->due - now + 999) / 1000);
}

int main(int argc, char **argv)
{
    struct epoll_event events[512];
    int listener;

    if (argc != 2) {
        fprintf(stderr, "usage: mock_provider PORT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    ep = epoll_create1(0);
    listener = listen_on(atoi(argv[1]));
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(ep, events, 512, timeout_ms(now_us()));
        int64_t now;

        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;

            if (!c)
                accept_all(listener);
            else if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                readable(c);
            else if (events[i].events & EPOLLOUT)
                flush(c);
        }
        now = now_us();
        while (heap_len > 0 && heap[1]->due <= now)
            step(heap[1], now);
    }
}
