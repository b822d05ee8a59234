/* admin/feed.h: what follows an organisation, with an evhttp server of its own. */
#include "redis_fixture.h"

#include "admin/admin.h"
#include "admin/feed.h"
#include "core/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <event2/http.h>
#include <sys/socket.h>

#define ORG      "5eed0000-0000-4000-8000-000000000001"
#define REQUESTS 2

static struct redis_fixture live;
static struct config config;
static struct server server;
static struct evhttp_request *asked[REQUESTS];
static int clients[REQUESTS];
static int count;

static struct admin_request request_of(const char *actor)
{
    return (struct admin_request){.org = ORG, .actor = actor, .request_id = "r"};
}

static void follow(int n)
{
    const struct admin_request request = request_of("key:a");

    feeds_follow(server.feeds, asked[n], &request, (struct fd_event_id){0});
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(server.loop);
}

/* All in one turn of the loop. */
static void come_and_go(void)
{
    for (int n = 0; n < REQUESTS; n++) {
        follow(n);
        feeds_stop(server.feeds);
    }
    loop_defer(server.loop, stop, NULL); /* behind what they left to be done */
}

static void on_request(struct evhttp_request *http, void *arg)
{
    (void)arg;
    asked[count++] = http;
    if (count == REQUESTS)
        come_and_go();
}

static void ask(int n, int port)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr = {htonl(INADDR_LOOPBACK)}};

    clients[n] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(clients[n], (const struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(write(clients[n], get, sizeof(get) - 1), sizeof(get) - 1);
}

static int listen_somewhere(void)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(server.http, "127.0.0.1", 0);

    assert_non_null(bound);
    assert_int_equal(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &len),
                     0);
    return ntohs(at.sin_port);
}

static int begin(void **state)
{
    (void)state;
    if (!fixture_init(&live) || !fixture_start(&live))
        return -1;
    config.live_redis = live.address;
    server = (struct server){.config = &config, .loop = loop_new()};
    server.http = evhttp_new(loop_base(server.loop));
    evhttp_set_gencb(server.http, on_request, NULL);
    server.feeds = feeds_new(&server);
    return 0;
}

static int end(void **state)
{
    (void)state;
    evhttp_free(server.http);
    feeds_free(server.feeds);
    loop_free(server.loop);
    for (int n = 0; n < REQUESTS; n++)
        close(clients[n]);
    fixture_end(&live);
    return 0;
}

/* ADM-4: the last follower leaves, another comes and is gone at once: the feed ends once. */
static void test_come_and_go_in_one_turn(void **state)
{
    int port = listen_somewhere();

    (void)state;
    for (int n = 0; n < REQUESTS; n++)
        ask(n, port);
    loop_run(server.loop);
    assert_int_equal(count, REQUESTS);
    assert_null(feeds_full(server.feeds, ORG, "key:a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_come_and_go_in_one_turn, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
