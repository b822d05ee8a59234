/*
 * A load generator for answers that stream: epoll, one thread, keep-alive
 * connections, server-sent events read as they come. Closed loop: every
 * connection asks again when its answer is over, so the numbers are of `-c`
 * concurrent answers. Tokens of t/bench/mock_provider.c carry the time at which
 * they left the provider.
 *
 *     load -p PORT -c CONNECTIONS -d SECONDS [-w WARMUP] [-u PATH] [-H 'Name: value']... -b BODY
 *     load ... -r RAMP      the first questions spread over so many seconds, within the warm-up
 *     load ... -t THINK     microseconds from an answer's end to the next question
 *     load ... -P NAME=PID[,PID]...   their processor time in the counted seconds, as NAME_us
 *     load ... -i        idle: open the streams, hold them, print "held N", wait for SIGTERM
 *
 * Prints one line of JSON: answers, tokens, errors, rates, and p50/p99 in
 * microseconds of the first token (from sending), of a token's way from the
 * provider to here, and of the gap added between tokens; NAME_us is a token.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER 65536

struct conn {
    int fd;
    unsigned lines; /* of the response so far */
    bool refused;   /* its status was not 200 */
    bool last_chunk;
    struct conn *next; /* that waits to ask */
    int64_t ask_at;
    int64_t sent_at;    /* the request */
    int64_t last_at;    /* the last token, here; 0 = none yet */
    int64_t last_stamp; /* and at the provider */
    size_t len;
    char buf[BUFFER];
};

/* Microseconds in buckets of ~1.6 %: exact enough for a percentile. */
struct histogram {
    uint64_t count;
    uint32_t bucket[64 * 64];
};

static struct histogram first_token, way, gap_added;
static uint64_t answers, tokens, failures, refused, bytes;
static bool counting, idle_mode;
static volatile sig_atomic_t stopped;
static struct sockaddr_in address;
static char *request;
static size_t request_len;
static int ep;
static int64_t think_us;
static struct conn *waiting, **waiting_end = &waiting; /* in the order of ask_at */

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void observe(struct histogram *h, int64_t us)
{
    unsigned power = 0;
    uint64_t v = us < 0 ? 0 : (uint64_t)us;

    if (!counting)
        return;
    while (v >= 64u << power)
        power++;
    h->bucket[power * 64 + (v >> power)]++;
    h->count++;
}

static uint64_t percentile(const struct histogram *h, double p)
{
    uint64_t seen = 0, want = (uint64_t)((double)h->count * p);

    for (unsigned i = 0; i < 64 * 64; i++) {
        seen += h->bucket[i];
        if (seen > want)
            return (uint64_t)(i % 64) << (i / 64);
    }
    return 0;
}

static void conn_open(struct conn *c)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    int on = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address))) {
        perror("load: connect");
        exit(1);
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
}

static void ask(struct conn *c)
{
    c->len = 0;
    c->lines = 0;
    c->refused = c->last_chunk = false;
    c->last_at = 0;
    c->sent_at = now_us();
    if (write(c->fd, request, request_len) != (ssize_t)request_len) {
        perror("load: write");
        exit(1);
    }
}

static void ask_later(struct conn *c, int64_t at)
{
    c->ask_at = at;
    c->next = NULL;
    *waiting_end = c;
    waiting_end = &c->next;
}

/* Asks what is due; milliseconds until the next one is. */
static int ask_due(void)
{
    int64_t now = now_us();

    while (waiting != NULL && waiting->ask_at <= now) {
        struct conn *c = waiting;

        waiting = c->next;
        if (waiting == NULL)
            waiting_end = &waiting;
        if (c->fd < 0)
            conn_open(c);
        ask(c);
    }
    int64_t left = waiting != NULL ? (waiting->ask_at - now + 999) / 1000 : 100;
    return left < 100 ? (int)left : 100;
}

static void again(struct conn *c, bool reconnect)
{
    if (reconnect) {
        close(c->fd);
        conn_open(c);
    }
    if (think_us > 0)
        ask_later(c, now_us() + think_us);
    else
        ask(c);
}

/* "t<microseconds> " wherever it stands in the line. */
static void take_tokens(struct conn *c, const char *s, const char *end, int64_t now)
{
    while (s < end && (s = memchr(s, 't', (size_t)(end - s)))) {
        const char *p = s + 1;
        int64_t stamp = 0;

        while (p < end && *p >= '0' && *p <= '9')
            stamp = stamp * 10 + (*p++ - '0');
        if (p - s > 6 && p < end && *p == ' ') {
            if (counting)
                tokens++;
            observe(&way, now - stamp);
            if (c->last_at)
                observe(&gap_added, (now - c->last_at) - (stamp - c->last_stamp));
            else
                observe(&first_token, now - c->sent_at);
            c->last_at = now;
            c->last_stamp = stamp;
        }
        s = p;
    }
}

static bool starts(const char *line, const char *end, const char *with)
{
    size_t len = strlen(with);

    return (size_t)(end - line) >= len && memcmp(line, with, len) == 0;
}

/* One line of the response, its head included. True: the answer is over. */
static bool take_line(struct conn *c, const char *line, const char *end, int64_t now)
{
    if (c->lines++ == 0 && !starts(line, end, "HTTP/1.1 200")) {
        static bool said;

        if (!said)
            fprintf(stderr, "load: %.*s\n", (int)(end - line), line);
        said = true;
        if (counting)
            refused++;
        return c->refused = true;
    }
    if (starts(line, end, "event: error") && counting)
        failures++;
    if (starts(line, end, "0\r"))
        c->last_chunk = true;
    else if (c->last_chunk && starts(line, end, "\r"))
        return true;
    else if (starts(line, end, "data: "))
        take_tokens(c, line, end, now);
    return false;
}

static void readable(struct conn *c)
{
    ssize_t n = read(c->fd, c->buf + c->len, BUFFER - c->len);
    int64_t now = now_us();
    char *line = c->buf, *newline;

    if (n <= 0) {
        if (counting)
            failures++;
        again(c, true);
        return;
    }
    if (counting)
        bytes += (size_t)n;
    c->len += (size_t)n;
    while ((newline = memchr(line, '\n', (size_t)(c->buf + c->len - line)))) {
        if (take_line(c, line, newline, now)) {
            if (counting && !c->refused)
                answers++;
            again(c, c->refused);
            return;
        }
        line = newline + 1;
    }
    c->len = (size_t)(c->buf + c->len - line);
    memmove(c->buf, line, c->len);
}

static void on_signal(int signo)
{
    (void)signo;
    stopped = 1;
}

/* -- processor time of those that are measured ------------------------------------------- */

#define GROUPS_MAX 8

static struct group {
    const char *name;
    const char *pids; /* "12,34" */
    double before_us;
} groups[GROUPS_MAX];
static size_t group_count;

static void group_add(char *text)
{
    char *equals = strchr(text, '=');

    if (equals == NULL || group_count == GROUPS_MAX) {
        fprintf(stderr, "load: -P NAME=PID,...\n");
        exit(2);
    }
    *equals = '\0';
    groups[group_count++] = (struct group){.name = text, .pids = equals + 1};
}

/* utime and stime, from the fields behind the command's closing parenthesis. */
static double process_us(long pid)
{
    char path[64], text[1024], *p;
    unsigned long user = 0, system = 0;

    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    size_t n = f != NULL ? fread(text, 1, sizeof(text) - 1, f) : 0;
    if (f != NULL)
        fclose(f);
    text[n] = '\0';
    if ((p = strrchr(text, ')')) != NULL)
        sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static double group_us(const struct group *group)
{
    double sum = 0;

    for (const char *p = group->pids; *p != '\0'; p += strcspn(p, ","), p += *p == ',')
        sum += process_us(atol(p));
    return sum;
}

static void print_groups(void)
{
    for (size_t i = 0; i < group_count; i++)
        printf("\"%s_us\":%.2f,", groups[i].name,
               tokens > 0 ? (group_us(&groups[i]) - groups[i].before_us) / (double)tokens : 0);
}

static void print_result(double seconds)
{
    printf("{");
    print_groups();
    printf("\"answers\":%llu,\"tokens\":%llu,\"failures\":%llu,\"refused\":%llu,"
           "\"answers_per_s\":%.1f,\"tokens_per_s\":%.1f,\"first_p50_us\":%llu,"
           "\"first_p99_us\":%llu,\"way_p50_us\":%llu,\"way_p99_us\":%llu,\"gap_p50_us\":%llu,"
           "\"gap_p99_us\":%llu,\"bytes\":%llu}\n",
           (unsigned long long)answers, (unsigned long long)tokens, (unsigned long long)failures,
           (unsigned long long)refused, (double)answers / seconds, (double)tokens / seconds,
           (unsigned long long)percentile(&first_token, 0.5),
           (unsigned long long)percentile(&first_token, 0.99),
           (unsigned long long)percentile(&way, 0.5), (unsigned long long)percentile(&way, 0.99),
           (unsigned long long)percentile(&gap_added, 0.5),
           (unsigned long long)percentile(&gap_added, 0.99), (unsigned long long)bytes);
}

static void run(int64_t until)
{
    struct epoll_event events[512];

    while (!stopped && now_us() < until) {
        int n = epoll_wait(ep, events, 512, ask_due());

        for (int i = 0; i < n; i++)
            readable(events[i].data.ptr);
    }
}

/* Holds the streams: reads what comes, asks nothing again. */
static void hold(int count)
{
    struct epoll_event events[512];
    char sink[16384];
    int held = 0, lost = 0;
    bool said = false;

    while (!stopped) {
        int n = epoll_wait(ep, events, 512, ask_due());

        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;
            ssize_t got = read(c->fd, sink, sizeof(sink));

            if (got <= 0) {
                lost++;
                epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, NULL);
            } else if (c->lines++ == 0) {
                if (got > 12 && strncmp(sink + 9, "200", 3) == 0)
                    held++;
                else
                    fprintf(stderr, "load: %.*s\n", (int)strcspn(sink, "\r\n"), sink);
            }
        }
        if (!said && held == count) {
            printf("held %d\n", held);
            fflush(stdout);
            said = true;
        }
    }
    printf("{\"held\":%d,\"lost\":%d}\n", held, lost);
}

int main(int argc, char **argv)
{
    const char *path = "/api/v1/chat", *body = "{}";
    char headers[4096] = "";
    int port = 8080, count = 1, option;
    double seconds = 3, warmup = 0.5, ramp = 0;
    struct conn **conns;

    while ((option = getopt(argc, argv, "p:c:d:w:r:t:P:u:H:b:i")) != -1) {
        switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'c': count = atoi(optarg); break;
        case 'd': seconds = atof(optarg); break;
        case 'w': warmup = atof(optarg); break;
        case 'r': ramp = atof(optarg); break;
        case 't': think_us = atoll(optarg); break;
        case 'P': group_add(optarg); break;
        case 'u': path = optarg; break;
        case 'H':
            strncat(headers, optarg, sizeof(headers) - strlen(headers) - 3);
            strcat(headers, "\r\n");
            break;
        case 'b': body = optarg; break;
        case 'i': idle_mode = true; break;
        default: return 2;
        }
    }
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGPIPE, SIG_IGN);
    if (asprintf(&request,
                 "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                 "Accept: text/event-stream\r\nContent-Length: %zu\r\n%s\r\n%s",
                 path, strlen(body), headers, body) < 0)
        return 1;
    request_len = strlen(request);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ep = epoll_create1(0);
    conns = calloc((size_t)count, sizeof(*conns));
    int64_t begin = now_us();
    for (int i = 0; i < count; i++) {
        conns[i] = calloc(1, idle_mode ? offsetof(struct conn, buf) + 1 : sizeof(struct conn));
        conns[i]->fd = -1;
        ask_later(conns[i], begin + (int64_t)(ramp * 1e6 * i / count));
    }
    if (idle_mode) {
        hold(count);
        return 0;
    }
    run(now_us() + (int64_t)(warmup * 1e6));
    for (size_t i = 0; i < group_count; i++)
        groups[i].before_us = group_us(&groups[i]);
    counting = true;
    int64_t start = now_us();
    run(start + (int64_t)(seconds * 1e6));
    counting = false;
    print_result((double)(now_us() - start) / 1e6);
    return 0;
}
