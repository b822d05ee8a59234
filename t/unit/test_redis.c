/* net/redis.h against a real server that is killed, stopped and restarted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "net/redis.h"
#include "redis_fixture.h"

static struct redis_fixture server;

struct client {
    struct loop *loop;
    struct redis *redis;
    struct timer *deadline;
    int ups, downs;
    int answered; /* with a reply */
    int lost;     /* with NULL */
    int sent;
    int wrong; /* out of order */
    bool stop_on_up, stop_on_down;
    int stop_when_done; /* answered + lost */
    bool free_in_reply;
    bool timed_out;
};

static void on_deadline(void *arg)
{
    struct client *c = arg;

    c->timed_out = true;
    loop_stop(c->loop);
}

static void on_up(void *arg)
{
    struct client *c = arg;

    c->ups++;
    assert_true(redis_up(c->redis));
    if (c->stop_on_up)
        loop_stop(c->loop);
}

static void on_down(void *arg)
{
    struct client *c = arg;

    c->downs++;
    assert_false(redis_up(c->redis));
    assert_int_equal(redis_pending(c->redis), 0);
    if (c->stop_on_down)
        loop_stop(c->loop);
}

static void on_reply(void *arg, const redisReply *reply)
{
    struct client *c = arg;

    if (reply == NULL)
        c->lost++;
    else if (reply->type == REDIS_REPLY_STRING && atoi(reply->str) != c->answered)
        c->wrong++;
    if (reply != NULL)
        c->answered++;
    else if (c->redis != NULL)
        assert_false(redis_up(c->redis) || redis_call(c->redis, NULL, NULL, "PING"));
    if (c->free_in_reply && c->redis != NULL) {
        redis_free(c->redis);
        c->redis = NULL;
        loop_stop(c->loop);
    }
    if (c->answered + c->lost == c->stop_when_done)
        loop_stop(c->loop);
}

static void client_open(struct client *c, int command_timeout_ms)
{
    struct redis_options options = {
        .name = "test",
        .address = server.address,
        .on_up = on_up,
        .on_down = on_down,
        .arg = c,
        .command_timeout_ms = command_timeout_ms,
    };

    memset(c, 0, sizeof(*c));
    c->loop = loop_new();
    c->deadline = timer_new(c->loop, on_deadline, c);
    c->redis = redis_new(c->loop, &options);
    assert_non_null(c->redis);
}

static void run(struct client *c, int64_t most_ms)
{
    timer_set(c->deadline, most_ms);
    c->timed_out = false;
    loop_run(c->loop);
    timer_stop(c->deadline);
}

static void client_up(struct client *c, int command_timeout_ms)
{
    client_open(c, command_timeout_ms);
    c->stop_on_up = true;
    run(c, 5000);
    assert_int_equal(c->ups, 1);
    c->stop_on_up = false;
}

static void client_close(struct client *c)
{
    if (c->redis != NULL)
        redis_free(c->redis);
    timer_free(c->deadline);
    loop_free(c->loop);
}

static void send_echo(struct client *c, int count)
{
    for (int i = 0; i < count; i++)
        assert_true(redis_call(c->redis, on_reply, c, "ECHO %lld", (long long)c->sent++));
}

static void test_in_order(void **state)
{
    struct client c;

    (void)state;
    client_up(&c, 1000);
    send_echo(&c, 5000);
    assert_int_equal(redis_pending(c.redis), 5000);
    c.stop_when_done = 5000;
    run(&c, 5000);
    assert_int_equal(c.answered, 5000);
    assert_int_equal(c.wrong, 0);
    client_close(&c);
}

static void test_binary_safe(void **state)
{
    const char *argv[] = {"SET", "k", "a\0b"};
    const size_t argvlen[] = {3, 1, 3};
    struct client c;

    (void)state;
    client_up(&c, 1000);
    assert_true(redis_command(c.redis, on_reply, &c, 3, argv, argvlen));
    assert_true(redis_call(c.redis, on_reply, &c, "APPEND k %b", "\0\r\n", (size_t)3));
    c.stop_when_done = 2;
    run(&c, 5000);
    assert_int_equal(fixture_do(&server, "STRLEN k"), 6);
    client_close(&c);
}

/* All that is queued in a turn is one write(2): counted by the server's reads. */
static long long server_reads(void)
{
    redisContext *r = redisConnectUnix(server.socket);
    redisReply *info = redisCommand(r, "INFO stats");
    const char *at = strstr(info->str, "total_reads_processed:");
    long long reads = atoll(at + strlen("total_reads_processed:"));

    freeReplyObject(info);
    redisFree(r);
    return reads;
}

static void test_one_write_a_turn(void **state)
{
    struct client c;
    long long before;

    (void)state;
    client_up(&c, 1000);
    before = server_reads();
    send_echo(&c, 100);
    c.stop_when_done = 100;
    run(&c, 5000);
    /* ours, and the one that asks; an end of file counts too */
    assert_in_range(server_reads() - before, 1, 4);
    client_close(&c);
}

static void count_turn(void *arg)
{
    ++*(int *)arg;
}

static void send_one(void *arg)
{
    send_echo(arg, 1);
}

/* The first command after idle leaves at the end of its own turn: the next thing the
 * loop wakes for is the answer. */
static void test_no_turn_is_lost(void **state)
{
    struct client c;
    int turns = 0;

    (void)state;
    client_up(&c, 1000);
    run(&c, 20);
    loop_on_turn_end(c.loop, count_turn, &turns);
    loop_defer(c.loop, send_one, &c);
    c.stop_when_done = 1;
    run(&c, 5000);
    assert_int_equal(turns, 2);
    client_close(&c);
}

/* ENG-19, ENGINE "reconnects": what was in flight is answered with NULL once, and
 * the connection comes back by itself. */
static void test_kill_and_restart(void **state)
{
    struct client c;

    (void)state;
    client_up(&c, 0);
    assert_true(redis_call(c.redis, on_reply, &c, "BLPOP nothing 0"));
    send_echo(&c, 9);
    run(&c, 100); /* on their way */
    fixture_kill(&server);
    c.stop_on_down = true;
    run(&c, 5000);
    assert_int_equal(c.downs, 1);
    assert_int_equal(c.lost, 10);
    assert_int_equal(c.answered, 0);
    assert_false(redis_call(c.redis, on_reply, &c, "PING"));

    run(&c, 300); /* tries in vain */
    assert_true(fixture_start(&server));
    c.stop_on_up = true;
    run(&c, 5000);
    assert_int_equal(c.ups, 2);
    assert_int_equal(c.downs, 1);
    send_echo(&c, 1);
    c.stop_when_done = 11;
    run(&c, 5000);
    assert_int_equal(c.answered, 1);
    client_close(&c);
}

static void test_client_kill(void **state)
{
    struct client c;

    (void)state;
    client_up(&c, 1000);
    for (int i = 1; i <= 5; i++) {
        fixture_do(&server, "CLIENT KILL TYPE normal");
        c.stop_on_up = true;
        run(&c, 5000);
        assert_int_equal(c.downs, i);
        assert_int_equal(c.ups, i + 1);
    }
    client_close(&c);
}

/* A server that says nothing is left after the command time-out. */
static void test_silent_server(void **state)
{
    struct client c;
    int64_t start;

    (void)state;
    client_up(&c, 200);
    kill(server.pid, SIGSTOP);
    send_echo(&c, 3);
    c.stop_on_down = true;
    start = clock_mono_ms();
    run(&c, 5000);
    assert_in_range(clock_mono_ms() - start, 190, 1000);
    assert_int_equal(c.lost, 3);
    kill(server.pid, SIGCONT);
    c.stop_on_up = true;
    run(&c, 5000);
    assert_int_equal(c.ups, 2);
    client_close(&c);
}

static void test_paused_blocking_read_is_patient(void **state)
{
    struct client c;

    (void)state;
    client_up(&c, 0);
    fixture_do(&server, "CLIENT PAUSE 400 ALL");
    send_echo(&c, 1);
    c.stop_when_done = 1;
    run(&c, 5000);
    assert_int_equal(c.answered, 1);
    assert_int_equal(c.downs, 0);
    client_close(&c);
}

static void test_bounds(void **state)
{
    static char big[8 << 20];
    struct client c;
    int sent = 0;

    (void)state;
    client_up(&c, 0);
    kill(server.pid, SIGSTOP);
    while (redis_call(c.redis, on_reply, &c, "PING"))
        sent++;
    assert_int_equal(sent, 65536);
    kill(server.pid, SIGCONT);
    c.stop_when_done = sent;
    run(&c, 10000);
    assert_int_equal(c.answered, sent);

    kill(server.pid, SIGSTOP);
    sent = 0;
    while (redis_call(c.redis, on_reply, &c, "ECHO %b", big, sizeof(big)))
        sent++;
    assert_int_equal(sent, 7); /* the eighth would pass 64 MiB with its framing */
    kill(server.pid, SIGCONT);
    client_close(&c);
}

static void test_free_with_pending(void **state)
{
    struct client c;
    struct redis *redis;

    (void)state;
    client_up(&c, 1000);
    send_echo(&c, 4);
    redis = c.redis;
    redis_free(redis);
    c.redis = NULL;
    assert_int_equal(c.lost, 4);
    client_close(&c);
}

static void test_free_in_reply(void **state)
{
    struct client c;

    (void)state;
    client_up(&c, 1000);
    send_echo(&c, 4);
    c.free_in_reply = true;
    run(&c, 5000);
    run(&c, 50);
    assert_int_equal(c.answered + c.lost, 4);
    client_close(&c);
}

static void test_bad_address(void **state)
{
    struct redis_options options = {.name = "bad", .address = "localhost:6379"};
    struct loop *loop = loop_new();

    (void)state;
    assert_null(redis_new(loop, &options)); /* a name would block the loop */
    loop_free(loop);
}

struct listener {
    struct loop *loop;
    int subscribed;
    int messages;
    char last[32];
    size_t last_len;
};

static void on_message(void *arg, const char *message, size_t len)
{
    struct listener *l = arg;

    if (message == NULL) {
        l->subscribed++;
        loop_stop(l->loop);
        return;
    }
    l->messages++;
    l->last_len = len;
    memcpy(l->last, message, len < sizeof(l->last) ? len : sizeof(l->last));
    loop_stop(l->loop);
}

static void test_subscriber(void **state)
{
    struct listener l = {.loop = loop_new()};
    struct redis_subscriber *s;

    (void)state;
    s = redis_subscribe(l.loop, server.address, "ch", on_message, &l);
    assert_non_null(s);
    loop_run(l.loop);
    assert_int_equal(l.subscribed, 1);
    assert_int_equal(fixture_do(&server, "PUBLISH ch hello"), 1);
    loop_run(l.loop);
    assert_int_equal(l.messages, 1);
    assert_memory_equal(l.last, "hello", 5);

    /* after a restart it listens again and says so */
    fixture_kill(&server);
    assert_true(fixture_start(&server));
    loop_run(l.loop);
    assert_int_equal(l.subscribed, 2);
    assert_int_equal(fixture_do(&server, "PUBLISH ch again"), 1);
    loop_run(l.loop);
    assert_int_equal(l.messages, 2);
    redis_subscriber_free(s);
    loop_free(l.loop);
}

static int start(void **state)
{
    (void)state;
    return fixture_init(&server) && fixture_start(&server) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_binary_safe),
        cmocka_unit_test(test_one_write_a_turn),
        cmocka_unit_test(test_no_turn_is_lost),
        cmocka_unit_test(test_kill_and_restart),
        cmocka_unit_test(test_client_kill),
        cmocka_unit_test(test_silent_server),
        cmocka_unit_test(test_paused_blocking_read_is_patient),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_free_with_pending),
        cmocka_unit_test(test_free_in_reply),
        cmocka_unit_test(test_bad_address),
        cmocka_unit_test(test_subscriber),
    };

    signal(SIGPIPE, SIG_IGN);
    log_open("test", LOG_ERROR);
    return cmocka_run_group_tests_name("redis", tests, start, end);
}
