/* net/script.h against a real server that forgets scripts */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/log.h"
#include "core/loop.h"
#include "net/script.h"
#include "redis_fixture.h"

static struct redis_fixture server;
static struct loop *loop;
static struct redis *redis;
static struct script_set *scripts;
static int answers, nulls;
static char first_word[32];

static void on_up(void *arg)
{
    (void)arg;
    script_set_load(scripts);
    loop_stop(loop);
}

static void on_answer(void *arg, const redisReply *reply)
{
    (void)arg;
    answers++;
    nulls += reply == NULL;
    first_word[0] = '\0';
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements > 0)
        snprintf(first_word, sizeof(first_word), "%s", reply->element[0]->str);
    else if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
        snprintf(first_word, sizeof(first_word), "%s", reply->str);
    loop_stop(loop);
}

/* admit.lua without an organisation answers "stale". */
static bool call_admit(void)
{
    const char *argv[22] = {"a", "b", "c", "d", "e", "f", "g", "h", "job", "org", "session", "1"};

    for (int i = 12; i < 22; i++)
        argv[i] = "1";
    return script_call(scripts, FD_SCRIPT_ADMIT, on_answer, NULL, 8, 22, argv, NULL);
}

static int set_up(void **state)
{
    static struct redis_options options = {
        .name = "test", .on_up = on_up, .command_timeout_ms = 2000};

    (void)state;
    if (!fixture_init(&server) || !fixture_start(&server))
        return -1;
    options.address = server.address;
    loop = loop_new();
    redis = redis_new(loop, &options);
    scripts = script_set_new(redis);
    loop_run(loop);
    return redis_up(redis) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    if (scripts != NULL)
        script_set_free(scripts);
    if (redis != NULL)
        redis_free(redis);
    loop_free(loop);
    fixture_end(&server);
    return 0;
}

static void test_loaded_forgotten_and_reloaded(void **state)
{
    (void)state;
    assert_true(call_admit()); /* before the hashes are known */
    loop_run(loop);
    assert_string_equal(first_word, "stale");
    for (int i = 0; i < 3; i++) {
        fixture_do(&server, "SCRIPT FLUSH");
        assert_true(call_admit());
        loop_run(loop);
        assert_string_equal(first_word, "stale");
        assert_true(call_admit());
        loop_run(loop);
        assert_string_equal(first_word, "stale");
    }
}

static void test_every_script_compiles(void **state)
{
    redisContext *c = redisConnectUnix(server.socket);

    (void)state;
    for (int i = 0; i < FD_SCRIPTS; i++) {
        redisReply *reply =
            redisCommand(c, "SCRIPT LOAD %b", fd_script_sources[i].text, fd_script_sources[i].len);

        assert_int_equal(reply->type, REDIS_REPLY_STRING);
        freeReplyObject(reply);
    }
    redisFree(c);
}

static void test_lost_connection(void **state)
{
    (void)state;
    answers = nulls = 0;
    assert_true(call_admit());
    assert_true(call_admit());
    redis_free(redis); /* answers with NULL; the set is freed after its calls */
    redis = NULL;
    assert_int_equal(answers, 2);
    assert_int_equal(nulls, 2);
}

static void test_set_freed_first(void **state)
{
    (void)state;
    answers = nulls = 0;
    assert_true(call_admit());
    script_set_free(scripts);
    scripts = NULL;
    redis_free(redis);
    redis = NULL;
    assert_int_equal(nulls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_loaded_forgotten_and_reloaded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_script_compiles, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lost_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_freed_first, set_up, tear_down),
    };

    signal(SIGPIPE, SIG_IGN);
    log_open("test", LOG_ERROR);
    return cmocka_run_group_tests_name("script", tests, NULL, NULL);
}
