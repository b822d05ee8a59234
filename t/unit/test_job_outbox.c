/* chat/outbox.h and the hand-off's scripts on a real Redis: order, fence and retry of
 * events (ENG-19), the epoch of a claim, the lease of a heartbeat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "chat/engine.h"
#include "chat/outbox.h"
#include "chat/replay.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop.h"
#include "protocol/limits.h"
#include "redis_fixture.h"

static struct redis_fixture server;

struct fixture {
    struct engine engine;
    struct outbox outbox;
    struct timer *timer;
    int changes;
    bool up;
};

static void on_up(void *arg)
{
    struct fixture *f = arg;
    f->up = true;
    if (f->engine.events != NULL)
        events_live_up(f->engine.events);
}

static void on_change(void *arg)
{
    struct fixture *f = arg;
    f->changes++;
}

static void stop(void *arg)
{
    struct fixture *f = arg;
    loop_stop(f->engine.loop);
}

static void run_for(struct fixture *f, int ms)
{
    timer_set(f->timer, ms);
    loop_run(f->engine.loop);
}

static void run_until_empty(struct fixture *f)
{
    for (int i = 0; i < 300 && !outbox_empty(&f->outbox); i++)
        run_for(f, 10);
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    redisContext *c = redisConnectUnix(server.socket);
    freeReplyObject(redisCommand(c, "FLUSHALL"));
    redisFree(c);
    f.engine.loop = loop_new();
    snprintf(f.engine.token, sizeof(f.engine.token), "mine");
    struct redis_options options = {.name = "live",
                                    .address = server.address,
                                    .on_up = on_up,
                                    .arg = &f,
                                    .command_timeout_ms = 2000};
    f.engine.live = redis_new(f.engine.loop, &options);
    f.engine.events = events_new(&f.engine);
    f.timer = timer_new(f.engine.loop, stop, &f);
    for (int i = 0; i < 200 && !f.up; i++)
        run_for(&f, 10);
    *state = &f;
    return f.up ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    outbox_close(&f->outbox);
    redis_free(f->engine.live);
    events_free(f->engine.events);
    timer_free(f->timer);
    loop_free(f->engine.loop);
    return 0;
}

static void begin(struct fixture *f, uint32_t epoch, enum outbox_mode mode)
{
    outbox_open(&f->outbox, &f->engine, "J", epoch, mode, 60000, on_change, f);
}

/* The ids and the texts of fd:ev:J, as "1-0 1-1 ... | text". */
static const char *stream(void)
{
    static char out[65536];
    char text[32768] = "";
    redisContext *c = redisConnectUnix(server.socket);
    redisReply *reply = redisCommand(c, "XRANGE fd:ev:J - +");
    out[0] = '\0';
    for (size_t i = 0; i < reply->elements; i++) {
        const redisReply *frame = reply->element[i]->element[1]->element[1];
        const char *from = strstr(frame->str, "{\"text\":\"");
        snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s ",
                 reply->element[i]->element[0]->str);
        if (from != NULL)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s",
                     (int)strcspn(from + 9, "\""), from + 9);
    }
    snprintf(out + strlen(out), sizeof(out) - strlen(out), "| %s", text);
    freeReplyObject(reply);
    redisFree(c);
    return out;
}

static void events_in_order(void **state)
{
    struct fixture *f = *state;
    begin(f, 1, OUTBOX_OWN);
    outbox_event(&f->outbox, FD_EVENT_META, "{}", 2);
    outbox_text(&f->outbox, "one ", 4);
    outbox_text(&f->outbox, "two ", 4); /* the same turn: the same event */
    run_until_empty(f);
    outbox_text(&f->outbox, "three", 5);
    outbox_event(&f->outbox, FD_EVENT_CITATION, "{}", 2); /* behind its text */
    outbox_event(&f->outbox, FD_EVENT_DONE, "{}", 2);
    run_until_empty(f);
    assert_string_equal(stream(), "1-0 1-1 1-2 1-3 1-4 | one two three");
    assert_int_equal(f->changes, 1); /* told of the end, not of every event */
    assert_true(fixture_do(&server, "PTTL fd:ev:J") > FD_EVENTS_LINGER_MS - 5000);
}

/* A lost reply: what Redis has is not sent again, what it lacks is. */
static void resends_after_a_broken_connection(void **state)
{
    struct fixture *f = *state;
    begin(f, 1, OUTBOX_OWN);
    outbox_event(&f->outbox, FD_EVENT_META, "{}", 2);
    char word[16];
    for (int i = 0; i < 60; i++) {
        snprintf(word, sizeof(word), "%d ", i);
        outbox_text(&f->outbox, word, strlen(word));
        run_for(f, 3);
        if (i % 20 == 10)
            fixture_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
    }
    outbox_event(&f->outbox, FD_EVENT_DONE, "{}", 2);
    run_until_empty(f);
    char expected[512] = "";
    for (int i = 0; i < 60; i++)
        snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), "%d ", i);
    assert_string_equal(strchr(stream(), '|') + 2, expected);
    assert_int_equal(f->outbox.state, OUTBOX_FLOWING);
}

/* The reply was lost, the event was not: found by its owner's token. */
static void own_event_that_is_there_is_not_doubled(void **state)
{
    struct fixture *f = *state;
    begin(f, 1, OUTBOX_OWN);
    fixture_do(&server, "XADD fd:ev:J 1-0 f x o mine");
    fixture_do(&server, "XADD fd:ev:J 1-1 f y");
    outbox_event(&f->outbox, FD_EVENT_META, "{}", 2);
    outbox_text(&f->outbox, "a", 1);
    outbox_event(&f->outbox, FD_EVENT_DONE, "{}", 2);
    run_until_empty(f);
    assert_string_equal(stream(), "1-0 1-1 1-2 | ");
    assert_int_equal(f->outbox.state, OUTBOX_FLOWING);
}

static void zombie_stops(void **state)
{
    struct fixture *f = *state;
    begin(f, 1, OUTBOX_OWN);
    outbox_event(&f->outbox, FD_EVENT_META, "{}", 2);
    run_until_empty(f);
    fixture_do(&server, "XADD fd:ev:J 2-0 f x o other");
    outbox_text(&f->outbox, "stale", 5);
    run_for(f, 50);
    assert_int_equal(f->outbox.state, OUTBOX_LOST);
    outbox_text(&f->outbox, "more", 4);
    outbox_event(&f->outbox, FD_EVENT_DONE, "{}", 2);
    run_for(f, 50);
    assert_string_equal(stream(), "1-0 2-0 | ");
}

static void same_epoch_of_another_life_stops(void **state)
{
    struct fixture *f = *state;
    begin(f, 1, OUTBOX_OWN);
    fixture_do(&server, "XADD fd:ev:J 1-0 f x o other");
    outbox_event(&f->outbox, FD_EVENT_META, "{}", 2);
    run_for(f, 50);
    assert_int_equal(f->outbox.state, OUTBOX_LOST);
    assert_string_equal(stream(), "1-0 | ");
}

/* Live Redis lost its memory: no stream without its beginning. */
static void vanished_stream_detaches(void **state)
{
    struct fixture *f = *state;
    begin(f, 1, OUTBOX_OWN);
    outbox_event(&f->outbox, FD_EVENT_META, "{}", 2);
    run_until_empty(f);
    fixture_do(&server, "FLUSHALL");
    outbox_text(&f->outbox, "x", 1);
    run_for(f, 50);
    assert_int_equal(f->outbox.state, OUTBOX_DETACHED);
    assert_string_equal(stream(), "| ");
}

static void full_redis_is_waited_for(void **state)
{
    struct fixture *f = *state;
    begin(f, 1, OUTBOX_OWN);
    outbox_event(&f->outbox, FD_EVENT_META, "{}", 2);
    run_until_empty(f);
    fixture_do(&server, "CONFIG SET maxmemory 1");
    outbox_text(&f->outbox, "held ", 5);
    run_for(f, 50);
    assert_int_equal(f->outbox.state, OUTBOX_WAITING);
    outbox_text(&f->outbox, "back", 4);
    fixture_do(&server, "CONFIG SET maxmemory 0");
    outbox_tick(&f->outbox, clock_mono_ms(), 10000);
    run_until_empty(f);
    assert_string_equal(strchr(stream(), '|'), "| held back");
}

/* Two replays at once, and one that died half-way: the events are there once. */
static void replays_do_not_interleave(void **state)
{
    struct fixture *f = *state;
    struct store_outcome outcome = {.epoch = 2,
                                    .terminal = true,
                                    .stream = true,
                                    .event = FD_EVENT_DONE,
                                    .data = "{}",
                                    .text = "all"};
    fixture_do(&server, "XADD fd:ev:J 1-0 f x o somebody");
    fixture_do(&server, "XADD fd:ev:J 2-0 f x o replay");
    begin(f, 2, OUTBOX_REPLAY);
    replay_write(&f->outbox, &outcome);
    struct outbox second;
    outbox_open(&second, &f->engine, "J", 2, OUTBOX_REPLAY, 60000, on_change, f);
    replay_write(&second, &outcome);
    run_until_empty(f);
    run_for(f, 50);
    assert_string_equal(stream(), "1-0 2-0 2-1 2-2 | all");
    assert_true(outbox_empty(&second));
    assert_int_equal(f->changes, 2);
    outbox_close(&second);
}

/* ENG-20: nobody listens. */
static void silence_is_measured(void **state)
{
    struct fixture *f = *state;
    begin(f, 1, OUTBOX_OWN);
    outbox_event(&f->outbox, FD_EVENT_META, "{}", 2);
    run_until_empty(f);
    run_for(f, 60);
    assert_true(outbox_silence(&f->outbox, clock_mono_ms()) >= 50);

    redisContext *reader = redisConnectUnix(server.socket);
    freeReplyObject(redisCommand(reader, "SUBSCRIBE fd:ch:J"));
    outbox_tick(&f->outbox, clock_mono_ms(), 0);
    run_for(f, 30);
    assert_int_equal(outbox_silence(&f->outbox, clock_mono_ms()), 0);
    redisFree(reader);
}

/* -- scripts ------------------------------------------------------------------------------------
 */

static redisReply *script(redisContext *c, enum fd_script which, const char *rest)
{
    char format[512];
    snprintf(format, sizeof(format), "EVAL %%b %s", rest);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    redisReply *reply =
        redisCommand(c, format, fd_script_sources[which].text, fd_script_sources[which].len);
#pragma GCC diagnostic pop
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    return reply;
}

static void claims_bump_the_epoch(void **state)
{
    (void)state;
    redisContext *c = redisConnectUnix(server.socket);
    freeReplyObject(redisCommand(c, "XGROUP CREATE q workers 0 MKSTREAM"));
    freeReplyObject(redisCommand(c, "XADD q 5-1 job j"));
    freeReplyObject(redisCommand(c, "HSET h epoch 1 state queued"));
    freeReplyObject(redisCommand(c, "XREADGROUP GROUP workers a STREAMS q >"));

    redisReply *r = script(c, FD_SCRIPT_CLAIM, "2 q h workers b 5-1 100000");
    assert_int_equal(r->type, REDIS_REPLY_NIL); /* not idle enough */
    freeReplyObject(r);
    assert_int_equal(fixture_do(&server, "HEXISTS h owner"), 0);

    r = script(c, FD_SCRIPT_CHARGE, "1 h");
    assert_int_equal(r->integer, 1);
    freeReplyObject(r);
    r = script(c, FD_SCRIPT_CHARGE, "1 nothing");
    assert_int_equal(r->integer, 0);
    freeReplyObject(r);
    assert_int_equal(fixture_do(&server, "EXISTS nothing"), 0);

    r = script(c, FD_SCRIPT_CLAIM, "2 q h workers b 5-1 0");
    assert_int_equal(r->element[0]->integer, 2); /* epoch */
    assert_int_equal(r->element[1]->integer, 1); /* crashes */
    freeReplyObject(r);

    /* the zombie's heartbeat is told, and steals nothing */
    r = script(c, FD_SCRIPT_HEARTBEAT, "3 q alive h workers a 9000 0 60000 5-1 1");
    assert_string_equal(r->element[0]->str, "lost");
    freeReplyObject(r);
    r = redisCommand(c, "XPENDING q workers - + 1");
    assert_string_equal(r->element[0]->element[1]->str, "b");
    freeReplyObject(r);
    r = script(c, FD_SCRIPT_FINISH, "5 q h s l w workers 5-1 j 1 done 1000");
    assert_int_equal(r->integer, 0); /* nor does it finish the job */
    freeReplyObject(r);

    freeReplyObject(redisCommand(c, "HSET h cancel 1"));
    r = script(c, FD_SCRIPT_HEARTBEAT, "3 q alive h workers b 9000 0 60000 5-1 2");
    assert_string_equal(r->element[0]->str, "cancel");
    freeReplyObject(r);
    freeReplyObject(redisCommand(c, "DEL h"));
    r = script(c, FD_SCRIPT_HEARTBEAT, "3 q alive h workers b 9000 0 60000 5-1 2");
    assert_string_equal(r->element[0]->str, "gone");
    freeReplyObject(r);
    r = script(c, FD_SCRIPT_CLAIM, "2 q h workers c 5-1 0");
    assert_int_equal(r->element[0]->integer, 0); /* its hash has expired */
    freeReplyObject(r);
    r = script(c, FD_SCRIPT_FINISH, "5 q h s l w workers 5-1 j 1 done 1000");
    assert_int_equal(r->integer, 1);
    freeReplyObject(r);
    assert_int_equal(fixture_do(&server, "XLEN q"), 0);
    redisFree(c);
}

/* A worker that leaves: its lease is gone, its jobs may be taken at once. */
static void leaving_hands_back(void **state)
{
    (void)state;
    redisContext *c = redisConnectUnix(server.socket);
    freeReplyObject(redisCommand(c, "XGROUP CREATE q workers 0 MKSTREAM"));
    freeReplyObject(redisCommand(c, "XADD q 5-1 job j"));
    freeReplyObject(redisCommand(c, "HSET h epoch 1 state queued"));
    freeReplyObject(redisCommand(c, "PEXPIRE h 1000"));
    freeReplyObject(redisCommand(c, "XREADGROUP GROUP workers a STREAMS q >"));
    redisReply *r = script(c, FD_SCRIPT_HEARTBEAT, "3 q alive h workers a 9000 0 60000 5-1 1");
    assert_string_equal(r->element[0]->str, "ok");
    freeReplyObject(r);
    assert_int_equal(fixture_do(&server, "ZCARD alive"), 1);
    assert_true(fixture_do(&server, "PTTL h") > 50000); /* it lives as long as its worker */

    r = script(c, FD_SCRIPT_HEARTBEAT, "3 q alive h workers a 0 11000 60000 5-1 1");
    freeReplyObject(r);
    assert_int_equal(fixture_do(&server, "ZCARD alive"), 0);
    r = redisCommand(c, "XPENDING q workers IDLE 10000 - + 1");
    assert_int_equal(r->elements, 1);
    freeReplyObject(r);
    redisFree(c);
}

static int start_server(void **state)
{
    (void)state;
    log_open("test", LOG_ERROR);
    signal(SIGPIPE, SIG_IGN);
    return fixture_init(&server) && fixture_start(&server) ? 0 : -1;
}

static int end_server(void **state)
{
    (void)state;
    fixture_end(&server);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_in_order),
        TEST(resends_after_a_broken_connection),
        TEST(own_event_that_is_there_is_not_doubled),
        TEST(zombie_stops),
        TEST(same_epoch_of_another_life_stops),
        TEST(vanished_stream_detaches),
        TEST(full_redis_is_waited_for),
        TEST(replays_do_not_interleave),
        TEST(silence_is_measured),
        TEST(claims_bump_the_epoch),
        TEST(leaving_hands_back),
    };
    return cmocka_run_group_tests_name("job outbox", tests, start_server, end_server);
}
