/* net/http.h against a small server with bad manners, in a thread */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "net/http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* -- the server: one thread a connection ----------------------------------- */

static int listen_fd;
static int port;
static int connections;        /* atomic */
static int64_t hang_closed_ms; /* atomic: when the client of /hang left */
static char last_request[4 << 20];

static void say(int fd, const char *text)
{
    (void)!write(fd, text, strlen(text));
}

#define CHUNKED                                                                                    \
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

/* False: the connection is to be closed. */
static bool answer(int fd, const char *path)
{
    char byte;

    if (strncmp(path, "/ok", 3) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRetry-After: 7\r\nX-Two: b\r\n\r\nhi");
        return true;
    }
    if (strncmp(path, "/stream", 7) == 0) {
        say(fd, CHUNKED);
        for (int i = 0; i < 6; i++) {
            usleep(60000);
            say(fd, "4\r\nabc\n\r\n");
        }
        say(fd, "0\r\n\r\n");
        return true;
    }
    if (strncmp(path, "/silent", 7) == 0) {
        say(fd, CHUNKED "4\r\nabc\n\r\n");
        (void)!read(fd, &byte, 1);
    } else if (strncmp(path, "/hang", 5) == 0) {
        if (read(fd, &byte, 1) <= 0)
            __atomic_store_n(&hang_closed_ms, clock_mono_ms(), __ATOMIC_SEQ_CST);
    } else if (strncmp(path, "/cut", 4) == 0) {
        say(fd, CHUNKED "4\r\nabc\n\r\n");
    } else if (strncmp(path, "/empty", 6) == 0) {
        return false;
    } else if (strncmp(path, "/garbage", 8) == 0) {
        say(fd, "I am no HTTP server\r\n\r\n");
    } else if (strncmp(path, "/redirect", 9) == 0) {
        say(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
        return true;
    } else if (strncmp(path, "/early", 6) == 0) {
        say(fd, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 429 Slow\r\n"
                "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n1\r\nx\r\n0\r\nX-T: 1\r\n\r\n");
        return true;
    } else if (strncmp(path, "/headers", 8) == 0) {
        say(fd, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 5000; i++)
            say(fd, "X-Filler: 0123456789012345678901234567890123456789\r\n");
    } else if (strncmp(path, "/big", 4) == 0) {
        static char block[65536];

        say(fd, "HTTP/1.1 200 OK\r\n\r\n");
        memset(block, 'x', sizeof(block));
        while (write(fd, block, sizeof(block)) > 0)
            ;
    }
    return false;
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    size_t len = 0;
    bool open = true;

    while (open) {
        ssize_t got = read(fd, last_request + len, sizeof(last_request) - 1 - len);
        const char *end, *length;
        size_t body = 0;

        if (got <= 0)
            break;
        len += (size_t)got;
        last_request[len] = '\0';
        end = strstr(last_request, "\r\n\r\n");
        length = strstr(last_request, "Content-Length: ");
        if (length != NULL)
            body = (size_t)atoi(length + 16);
        if (end == NULL || len < (size_t)(end + 4 - last_request) + body)
            continue;
        open = answer(fd, strchr(last_request, ' ') + 1);
        len = 0;
    }
    close(fd);
    return NULL;
}

static void *accept_all(void *arg)
{
    (void)arg;
    for (;;) {
        int fd = accept(listen_fd, NULL, NULL);
        pthread_t thread;

        if (fd < 0)
            return NULL;
        __atomic_add_fetch(&connections, 1, __ATOMIC_SEQ_CST);
        pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd);
        pthread_detach(thread);
    }
}

static int start_server(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    pthread_t thread;

    (void)state;
    listen_fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listen_fd, (struct sockaddr *)&address, len) != 0 || listen(listen_fd, 64) != 0 ||
        getsockname(listen_fd, (struct sockaddr *)&address, &len) != 0)
        return -1;
    port = ntohs(address.sin_port);
    return pthread_create(&thread, NULL, accept_all, NULL);
}

/* -- the client ------------------------------------------------------------- */

static struct loop *loop;
static struct http_client *client;

struct result {
    struct http_request *request;
    struct buf body;
    int headers_seen, ends;
    int status;
    enum http_failure failure;
    char retry_after[16];
    bool alive_on_data;
    bool cancel_on_data;
    bool restart_on_data;
    struct result *restart;
    bool inside_start;
};

static void on_headers(void *arg, int status)
{
    struct result *r = arg;

    assert_false(r->inside_start);
    r->headers_seen++;
    r->status = status;
}

static void begin_request(struct result *r, const char *path, struct http_options options);

static void on_data(void *arg, const char *data, size_t len)
{
    struct result *r = arg;

    assert_int_equal(r->headers_seen, 1);
    buf_append(&r->body, data, len);
    if (r->alive_on_data)
        http_alive(r->request);
    if (r->restart_on_data) { /* curl is calling back: a new request must wait */
        r->restart_on_data = false;
        begin_request(r->restart, "/ok", (struct http_options){.method = "GET"});
    }
    if (r->cancel_on_data) {
        http_cancel(r->request);
        loop_stop(loop);
    }
}

static void on_end(void *arg, enum http_failure failure, int status, const char *error)
{
    struct result *r = arg;
    const char *retry_after = http_header(r->request, "retry-after");

    assert_false(r->inside_start);
    if (failure == HTTP_OK)
        assert_null(error);
    else
        assert_true(strlen(error) > 0);
    if (retry_after != NULL)
        snprintf(r->retry_after, sizeof(r->retry_after), "%s", retry_after);
    assert_null(http_header(r->request, "x-none"));
    r->ends++;
    r->failure = failure;
    r->status = status;
    http_cancel(r->request); /* too late, and harmless */
    loop_stop(loop);
}

static void begin_request(struct result *r, const char *path, struct http_options options)
{
    char url[128];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
    if (options.url == NULL)
        options.url = url;
    if (options.max_body == 0)
        options.max_body = 65536;
    options.on_headers = on_headers;
    options.on_data = on_data;
    options.on_end = on_end;
    options.arg = r;
    buf_init(&r->body, 1 << 20);
    r->inside_start = true;
    r->request = http_start(client, &options);
    r->inside_start = false;
}

static struct result fetch(const char *path, struct http_options options)
{
    struct result r = {.alive_on_data = true};

    begin_request(&r, path, options);
    assert_non_null(r.request);
    loop_run(loop);
    assert_int_equal(r.ends, 1);
    buf_free(&r.body);
    return r;
}

#define GET .method = "GET"

static int set_up(void **state)
{
    (void)state;
    loop = loop_new();
    client = http_client_new(loop);
    return client != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_free(client);
    loop_free(loop);
    return 0;
}

static void test_whole_response(void **state)
{
    struct result r = {0};

    (void)state;
    begin_request(&r, "/ok", (struct http_options){GET});
    loop_run(loop);
    assert_int_equal(r.failure, HTTP_OK);
    assert_int_equal(r.status, 200);
    assert_int_equal(r.headers_seen, 1);
    assert_string_equal(r.body.data, "hi");
    assert_string_equal(r.retry_after, "7");
    buf_free(&r.body);
}

static void test_post(void **state)
{
    const char *headers[] = {"Content-Type: application/json", "Authorization: Bearer k", NULL};
    struct result r =
        fetch("/ok", (struct http_options){
                         .method = "POST", .headers = headers, .body = "{\"a\":1}", .body_len = 7});

    (void)state;
    assert_int_equal(r.failure, HTTP_OK);
    assert_memory_equal(last_request, "POST /ok HTTP/1.1\r\n", 19);
    assert_non_null(strstr(last_request, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(last_request, "Authorization: Bearer k\r\n"));
    assert_non_null(strstr(last_request, "Content-Length: 7\r\n"));
    assert_non_null(strstr(last_request, "\r\n\r\n{\"a\":1}"));
    assert_null(strstr(last_request, "Expect:"));
}

/* curl asks "100-continue" for a large body and waits a second for the answer. */
static void test_large_post(void **state)
{
    static char body[2 << 20];
    int64_t start = clock_mono_ms();
    struct result r;

    (void)state;
    memset(body, 'x', sizeof(body));
    r = fetch("/ok",
              (struct http_options){.method = "POST", .body = body, .body_len = sizeof(body)});
    assert_int_equal(r.failure, HTTP_OK);
    assert_null(strstr(last_request, "Expect:"));
    assert_in_range(clock_mono_ms() - start, 0, 900);
}

static void test_connection_is_used_again(void **state)
{
    int before = __atomic_load_n(&connections, __ATOMIC_SEQ_CST);

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(fetch("/ok", (struct http_options){GET}).failure, HTTP_OK);
    assert_int_equal(__atomic_load_n(&connections, __ATOMIC_SEQ_CST) - before, 1);
}

static void test_no_redirect(void **state)
{
    (void)state;
    assert_int_equal(fetch("/redirect", (struct http_options){GET}).status, 302);
}

static void test_early_hints_and_trailers(void **state)
{
    struct result r = fetch("/early", (struct http_options){GET});

    (void)state;
    assert_int_equal(r.failure, HTTP_OK);
    assert_int_equal(r.status, 429);
    assert_int_equal(r.headers_seen, 1);
}

static void test_broken_responses(void **state)
{
    (void)state;
    assert_int_equal(fetch("/cut", (struct http_options){GET}).failure, HTTP_CUT);
    assert_int_equal(fetch("/empty", (struct http_options){GET}).failure, HTTP_CUT);
    assert_int_equal(fetch("/garbage", (struct http_options){GET}).failure, HTTP_CUT);
}

/* Nothing a provider sends grows memory without bound. */
static void test_bounds(void **state)
{
    (void)state;
    assert_int_equal(fetch("/headers", (struct http_options){GET}).failure, HTTP_TOO_LARGE);
    assert_int_equal(fetch("/big", (struct http_options){GET}).failure, HTTP_TOO_LARGE);
    assert_int_equal(fetch("/ok", (struct http_options){GET, .max_body = 1}).failure,
                     HTTP_TOO_LARGE);
    assert_int_equal(fetch("/ok", (struct http_options){GET, .max_body = 2}).failure, HTTP_OK);
}

static void assert_times_out(const char *path, struct http_options options,
                             enum http_failure failure, int64_t after_ms)
{
    int64_t start = clock_mono_ms();
    struct result r = fetch(path, options);

    assert_int_equal(r.failure, failure);
    assert_in_range(clock_mono_ms() - start, after_ms - 10, after_ms + 400);
}

/* ENG-1: the four time-outs. */
static void test_timeouts(void **state)
{
    (void)state;
    assert_times_out("/hang", (struct http_options){GET, .first_ms = 100, .total_ms = 5000},
                     HTTP_FIRST_BYTE_TIMEOUT, 100);
    assert_times_out("/hang", (struct http_options){GET, .total_ms = 100}, HTTP_TOTAL_TIMEOUT, 100);
    assert_times_out("/silent",
                     (struct http_options){GET, .first_ms = 5000, .idle_ms = 100, .total_ms = 9000},
                     HTTP_IDLE_TIMEOUT, 100);
    /* a stream that lives longer than first and idle together is fine */
    assert_int_equal(fetch("/stream", (struct http_options){GET, .connect_ms = 100, .first_ms = 200,
                                                            .idle_ms = 200, .total_ms = 5000})
                         .failure,
                     HTTP_OK);
    assert_times_out("/stream", (struct http_options){GET, .idle_ms = 200, .total_ms = 150},
                     HTTP_TOTAL_TIMEOUT, 150);
}

/* A listener whose queue is full never completes the handshake. */
static void test_connect_timeout(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int deaf = socket(AF_INET, SOCK_STREAM, 0);
    int fillers[8];
    char url[64];

    (void)state;
    assert_int_equal(bind(deaf, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(deaf, 0), 0);
    getsockname(deaf, (struct sockaddr *)&address, &len);
    for (int i = 0; i < 8; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], (struct sockaddr *)&address, len);
    }
    usleep(20000);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(address.sin_port));
    assert_times_out("",
                     (struct http_options){GET, .url = url, .connect_ms = 150, .first_ms = 5000},
                     HTTP_CONNECT_TIMEOUT, 150);
    for (int i = 0; i < 8; i++)
        close(fillers[i]);
    close(deaf);
    assert_int_equal(fetch("", (struct http_options){GET, .url = url}).failure, HTTP_CONNECT);
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void run_for(int64_t ms)
{
    struct timer *timer = timer_new(loop, stop, NULL);

    timer_set(timer, ms);
    loop_run(loop);
    timer_free(timer);
}

/* ENG-20: a cancelled request reaches the provider at once. */
static void test_cancel(void **state)
{
    struct result r = {0};
    int64_t start;

    (void)state;
    __atomic_store_n(&hang_closed_ms, 0, __ATOMIC_SEQ_CST);
    begin_request(&r, "/hang", (struct http_options){GET, .total_ms = 10000});
    run_for(100);
    start = clock_mono_ms();
    http_cancel(r.request);
    http_cancel(r.request);
    run_for(100);
    assert_in_range(__atomic_load_n(&hang_closed_ms, __ATOMIC_SEQ_CST) - start, 0, 90);
    assert_int_equal(r.ends, 0);
    buf_free(&r.body);
}

static void test_cancel_at_any_moment(void **state)
{
    struct result r = {.cancel_on_data = true};

    (void)state;
    begin_request(&r, "/stream", (struct http_options){GET});
    loop_run(loop); /* cancelled inside of curl's callback */
    run_for(100);
    assert_int_equal(r.ends, 0);
    assert_int_equal(r.body.len, 4);
    buf_free(&r.body);

    r = (struct result){0};
    begin_request(&r, "/ok", (struct http_options){GET});
    http_cancel(r.request); /* before it began */
    run_for(50);
    assert_int_equal(r.headers_seen, 0);

    r = (struct result){0};
    begin_request(&r, "/hang", (struct http_options){GET});
    run_for(50);
    begin_request(&r, "/hang", (struct http_options){GET});
    http_cancel(r.request);
    begin_request(&r, "/hang", (struct http_options){GET});
    http_client_free(client); /* with one running, one cancelled, one not begun */
    run_for(50);
    client = http_client_new(loop);
}

static void test_start_inside_a_callback(void **state)
{
    struct result second = {0};
    struct result first = {.restart_on_data = true, .restart = &second};

    (void)state;
    begin_request(&first, "/ok", (struct http_options){GET});
    while (first.ends + second.ends < 2)
        loop_run(loop);
    assert_int_equal(first.failure, HTTP_OK);
    assert_int_equal(second.failure, HTTP_OK);
    assert_string_equal(second.body.data, "hi");
    buf_free(&first.body);
    buf_free(&second.body);
}

static void test_refused_at_start(void **state)
{
    static const char *const urls[] = {"",        "ftp://127.0.0.1/", "file:///etc/passwd",
                                       "http://", "http://a b/",      "gopher://x/"};
    static const char *const bad_headers[] = {"A: b\r\nC: d", "A: b\n", "no colon"};
    struct result r = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        begin_request(&r, "", (struct http_options){GET, .url = urls[i]});
        assert_null(r.request);
    }
    for (size_t i = 0; i < sizeof(bad_headers) / sizeof(bad_headers[0]); i++) {
        const char *headers[] = {"X: ok", bad_headers[i], NULL};

        begin_request(&r, "/ok", (struct http_options){GET, .headers = headers});
        assert_null(r.request);
    }
    run_for(20);
    assert_int_equal(r.ends, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole_response, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_post, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_post, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_connection_is_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_redirect, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_early_hints_and_trailers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken_responses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_timeouts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_connect_timeout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancel_at_any_moment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_start_inside_a_callback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_at_start, set_up, tear_down),
    };

    signal(SIGPIPE, SIG_IGN);
    log_open("test", LOG_ERROR);
    return cmocka_run_group_tests_name("http", tests, start_server, NULL);
}
