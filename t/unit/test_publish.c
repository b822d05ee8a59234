/* EDGE-2, EDGE-3: tenant/publish.h - what nginx finds in Redis, and that an older state
 * never comes over a newer one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "db/migrate.h"
#include "pg_fixture.h"
#include "redis_fixture.h"
#include "tenant/keys.h"
#include "tenant/publish.h"

#define ALICE          "aaaaaaaa-0000-4000-8000-00000000000a"
#define BOB            "bbbbbbbb-0000-4000-8000-00000000000b"
#define LIMITS_OF(org) "fd:org:{0}:" org

static struct pg_fixture pg;
static struct redis_fixture jobs, live;
static struct config config = {.sync_ms = 60000};
static struct db *db;

static int set_up(void **state)
{
    struct arena a;
    struct migration_list list;
    char error[256];

    (void)state;
    arena_init(&a);
    if (!pg_start(&pg) || !fixture_init(&jobs) || !fixture_start(&jobs) || !fixture_init(&live) ||
        !fixture_start(&live) || !migrate_read(&a, "migrations", &list, error))
        return -1;
    struct db *owner = db_new(pg.owner, "test");
    bool ok = migrate_up(owner, &a, &list, NULL) == DB_OK;
    db_free(owner);
    arena_free(&a);
    pg_do(&pg, "INSERT INTO organizations (id, name, plan_type) VALUES ('" ALICE
               "', 'Alice', 'starter'), ('" BOB "', 'Bob', 'free')");
    db = db_new(pg.app, "test");
    config.jobs_redis = jobs.address;
    config.live_redis = live.address;
    return ok ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(db);
    fixture_end(&jobs);
    fixture_end(&live);
    pg_end(&pg);
    return 0;
}

/* The reply as text, members of an array with spaces between. */
static const char *ask(const struct redis_fixture *f, const char *a, const char *b, const char *c)
{
    static char text[4096];
    const char *argv[] = {a, b, c};
    redisContext *redis = redisConnectUnix(f->socket);
    redisReply *reply = redisCommandArgv(redis, b == NULL ? 1 : c == NULL ? 2 : 3, argv, NULL);

    assert_non_null(reply);
    text[0] = '\0';
    if (reply->type == REDIS_REPLY_INTEGER)
        snprintf(text, sizeof(text), "%lld", reply->integer);
    else if (reply->str != NULL)
        snprintf(text, sizeof(text), "%s", reply->str);
    for (size_t i = 0; i < reply->elements; i++) {
        size_t used = strlen(text);
        const char *member = reply->element[i]->str;
        snprintf(text + used, sizeof(text) - used, "%s%s", i > 0 ? " " : "",
                 member != NULL ? member : "-");
    }
    freeReplyObject(reply);
    redisFree(redis);
    return text;
}

static void publish(enum publish_status expected, const char *org)
{
    char error[256] = "";
    enum publish_status status =
        org != NULL ? publish_org(db, &config, org, error) : publish_all(db, &config, error);
    if (status != expected)
        fail_msg("%d: %s", (int)status, error);
    if (expected != PUBLISH_OK)
        assert_true(strlen(error) > 5);
}

static void make_key(const char *org, enum fd_key_kind kind, char id[37], char name[80])
{
    static const char *const origins[] = {"https://a.example", "https://*.b.example"};
    const struct key_new spec = {org, "k", kind, origins, kind == FD_KEY_SECRET ? 0 : 2, NULL};
    char key[FD_API_KEY_SIZE];

    assert_int_equal(keys_create(db, &spec, key, id), DB_OK);
    snprintf(name, 80, "fd:key:");
    fd_sha256_hex(name + 7, key, strlen(key));
}

static const char *field(const char *key, const char *name)
{
    return ask(&live, "HGET", key, name);
}

static void test_everything(void **state)
{
    char page[80], server[80], id[37], session_key[80];

    (void)state;
    make_key(ALICE, FD_KEY_PUBLISHABLE, id, page);
    make_key(BOB, FD_KEY_SECRET, id, server);
    pg_do(&pg, "INSERT INTO jobs (id, org_id, session_id, epoch, owner, body, accepted_at)"
               " SELECT '0-' || n, '" ALICE "', 's', 1, 'w', '{}', CASE n WHEN 1 THEN"
               " now() - interval '40 days' ELSE now() END FROM generate_series(1, 4) n");
    publish(PUBLISH_OK, NULL);

    assert_string_equal(ask(&jobs, "HGET", "fd:meta", "version"), "1");
    assert_string_equal(ask(&jobs, "HGET", "fd:meta", "shards"), "1");
    snprintf(session_key, sizeof(session_key), "%s", ask(&jobs, "HGET", "fd:meta", "session_key"));
    assert_int_equal(strlen(session_key), 64);

    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(ALICE), "gen"), "2");
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(ALICE), "rpm"), "60");
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(ALICE), "chats"), "10");
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(ALICE), "quota"), "5000");
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(ALICE), "used"), "3"); /* this month's */
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(BOB), "rpm"), "20");
    /* ENG-16: over its messages the one is slowed down, the other refused */
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(ALICE), "slow"), "6");
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(BOB), "slow"), "0");

    assert_string_equal(field(page, "org"), ALICE);
    assert_string_equal(field(page, "kind"), "pk");
    assert_string_equal(field(page, "gen"), "2");
    assert_string_equal(field(page, "origins"), "https://a.example https://*.b.example");
    assert_string_equal(field(page, "exp"), "0");
    assert_string_equal(field(server, "org"), BOB);
    assert_string_equal(field(server, "origins"), "");
    assert_non_null(strstr(ask(&live, "GET", "fd:cfg:" ALICE, NULL), "\"name\":\"Alice\""));
    int64_t left = atoll(ask(&live, "PTTL", "fd:keys:synced", NULL));
    assert_in_range(left, 170000, 180000);

    /* a live server that lost everything, a second worker's own look at the secret */
    ask(&live, "FLUSHALL", NULL, NULL);
    ask(&jobs, "DEL", "fd:meta", NULL);
    publish(PUBLISH_OK, NULL);
    assert_string_equal(field(page, "org"), ALICE);
    assert_string_equal(ask(&jobs, "HGET", "fd:meta", "session_key"), session_key);
}

static void test_revoke_and_expire(void **state)
{
    char id[37], other_id[37], new_id[37], key[80], other[80], made[FD_API_KEY_SIZE];
    char sha256[FD_SHA256_HEX_SIZE];

    (void)state;
    make_key(ALICE, FD_KEY_SECRET, id, key);
    make_key(ALICE, FD_KEY_SECRET, other_id, other);
    publish(PUBLISH_OK, ALICE);
    assert_string_equal(field(key, "org"), ALICE);
    assert_int_equal(keys_revoke(db, ALICE, id, sha256), DB_OK);
    publish(PUBLISH_OK, ALICE);
    assert_string_equal(ask(&live, "EXISTS", key, NULL), "0");
    assert_string_equal(field(other, "gen"), ask(&jobs, "HGET", LIMITS_OF(ALICE), "gen"));

    assert_int_equal(keys_rotate(db, ALICE, other_id, 3600, made, new_id), DB_OK);
    publish(PUBLISH_OK, ALICE);
    assert_true(atoll(field(other, "exp")) > 1700000000);
    pg_do(&pg, "UPDATE api_keys SET expires_at = now() - interval '1 second'"
               " WHERE expires_at IS NOT NULL");
    ask(&live, "SET",
        "fd:cfg:"
        "cccccccc-0000-4000-8000-00000000000c",
        "{}");
    publish(PUBLISH_OK, NULL);
    assert_string_equal(ask(&live, "EXISTS", other, NULL), "0");
    assert_string_equal(ask(&live, "EXISTS", "fd:cfg:cccccccc-0000-4000-8000-00000000000c", NULL),
                        "0");

    make_key(BOB, FD_KEY_SECRET, id, key);
    publish(PUBLISH_OK, BOB);
    pg_do(&pg, "UPDATE organizations SET status = 'disabled', generation = generation + 1"
               " WHERE name = 'Bob'");
    publish(PUBLISH_OK, BOB);
    assert_string_equal(ask(&live, "EXISTS", key, NULL), "0");
    pg_do(&pg, "UPDATE organizations SET status = 'active'");
}

static void test_used_never_falls(void **state)
{
    char month[16];

    (void)state;
    publish(PUBLISH_OK, NULL);
    ask(&jobs, "EVAL", "return redis.call('HSET', 'fd:org:{0}:" ALICE "', 'used', 41)", "0");
    publish(PUBLISH_OK, NULL);
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(ALICE), "used"), "41");
    ask(&jobs, "EVAL", "return redis.call('HSET', 'fd:org:{0}:" ALICE "', 'used', 1)", "0");
    publish(PUBLISH_OK, NULL);
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(ALICE), "used"), "3");
    snprintf(month, sizeof(month), "%s", ask(&jobs, "HGET", LIMITS_OF(ALICE), "month"));
    ask(&jobs, "EVAL",
        "return redis.call('HSET', 'fd:org:{0}:" ALICE "', 'used', 900, 'month', 200001)", "0");
    publish(PUBLISH_OK, NULL);
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(ALICE), "used"), "3");
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(ALICE), "month"), month);
    /* Redis is in the next month already: its count is not thrown away */
    ask(&jobs, "EVAL",
        "return redis.call('HSET', 'fd:org:{0}:" ALICE "', 'used', 7, 'month', 999901)", "0");
    publish(PUBLISH_OK, NULL);
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(ALICE), "used"), "7");
    ask(&jobs, "DEL", LIMITS_OF(ALICE), NULL);
}

/* A PostgreSQL restored from a backup knows an older generation than Redis. */
static void test_generation_after_restore(void **state)
{
    char key[80], id[37];

    (void)state;
    make_key(ALICE, FD_KEY_SECRET, id, key);
    publish(PUBLISH_OK, NULL);
    ask(&jobs, "EVAL", "return redis.call('HSET', 'fd:org:{0}:" ALICE "', 'gen', 5000)", "0");
    publish(PUBLISH_OK, NULL);
    assert_string_equal(ask(&jobs, "HGET", LIMITS_OF(ALICE), "gen"), "5000");
    assert_string_equal(field(key, "gen"), "5000");
    assert_string_equal(pg_do(&pg, "SELECT generation FROM organizations WHERE name = 'Alice'"),
                        "5000");
}

/* One publisher sleeps between its look at PostgreSQL and its writes; meanwhile the key
 * is revoked and published by another. */
static pid_t publisher(const char *name, const char *org)
{
    pid_t pid = fork();
    if (pid == 0) {
        char error[256];
        struct db *own = db_new(pg.app, name);
        enum publish_status status =
            org != NULL ? publish_org(own, &config, org, error) : publish_all(own, &config, error);
        _exit(status == PUBLISH_OK ? 0 : 1);
    }
    return pid;
}

static void test_publishers_race(void **state)
{
    char key[80], id[37], sha256[FD_SHA256_HEX_SIZE];
    int status;

    (void)state;
    make_key(ALICE, FD_KEY_SECRET, id, key);
    publish(PUBLISH_OK, NULL);
    fixture_do(&jobs, "CLIENT PAUSE 400 ALL");
    pid_t sleeper = publisher("sleeper", NULL);
    for (int tries = 0; tries < 100; tries++) { /* it has read, and waits for Redis */
        usleep(2000);
        if (strcmp(pg_do(&pg, "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in"
                              " transaction' AND application_name = 'sleeper'"
                              " AND query LIKE '%platform_widget_settings%'"),
                   "1") == 0)
            break;
    }
    kill(sleeper, SIGSTOP);
    assert_int_equal(keys_revoke(db, ALICE, id, sha256), DB_OK);
    pid_t other = publisher("other", ALICE);
    usleep(800000);                                        /* past the pause */
    assert_int_equal(waitpid(other, &status, WNOHANG), 0); /* waits for its turn */
    kill(sleeper, SIGCONT);
    assert_int_equal(waitpid(sleeper, &status, 0), sleeper);
    assert_int_equal(status, 0);
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(status, 0);
    assert_string_equal(ask(&live, "EXISTS", key, NULL), "0");
}

static void test_hints(void **state)
{
    char key[80], id[37], sha256[FD_SHA256_HEX_SIZE];
    char expected[128];
    redisReply *reply;
    bool revoked = false, org = false;

    (void)state;
    make_key(ALICE, FD_KEY_SECRET, id, key);
    publish(PUBLISH_OK, NULL);
    assert_int_equal(keys_revoke(db, ALICE, id, sha256), DB_OK);
    redisContext *subscriber = redisConnectUnix(live.socket);
    reply = redisCommand(subscriber, "SUBSCRIBE fd:ctl");
    freeReplyObject(reply);
    publish(PUBLISH_OK, ALICE);
    snprintf(expected, sizeof(expected), "key %s", sha256);
    while (!org && redisGetReply(subscriber, (void **)&reply) == REDIS_OK) {
        revoked = revoked || strcmp(reply->element[2]->str, expected) == 0;
        org = strcmp(reply->element[2]->str, "org " ALICE) == 0; /* the last */
        freeReplyObject(reply);
    }
    assert_true(revoked && org);
    redisFree(subscriber);
}

static void test_servers_away(void **state)
{
    char key[80], id[37], sha256[FD_SHA256_HEX_SIZE];
    struct config away = config;
    char error[256];

    (void)state;
    make_key(ALICE, FD_KEY_SECRET, id, key);
    publish(PUBLISH_OK, NULL);
    long long before = atoll(ask(&jobs, "HGET", LIMITS_OF(ALICE), "gen"));
    assert_int_equal(keys_revoke(db, ALICE, id, sha256), DB_OK);
    /* without the live server the jobs server learns of it all the same */
    away.live_redis = "unix:/nonexistent";
    assert_int_equal(publish_org(db, &away, ALICE, error), PUBLISH_NO_REDIS);
    assert_int_equal(atoll(ask(&jobs, "HGET", LIMITS_OF(ALICE), "gen")), before + 1);
    ask(&live, "DEL", "fd:keys:synced", NULL);
    away = config;
    away.jobs_redis = "unix:/nonexistent";
    assert_int_equal(publish_all(db, &away, error), PUBLISH_NO_REDIS);
    assert_string_equal(ask(&live, "EXISTS", key, NULL), "0");
    assert_string_equal(ask(&live, "EXISTS", "fd:keys:synced", NULL), "0"); /* not whole */

    assert_int_equal(fixture_do(&jobs, "CONFIG SET maxmemory 1"), 0);
    ask(&jobs, "DEL", "fd:meta", NULL);
    assert_int_equal(publish_all(db, &config, error), PUBLISH_NO_REDIS);
    assert_non_null(strstr(error, "OOM"));
    fixture_do(&jobs, "CONFIG SET maxmemory 0");
    fixture_do(&jobs, "HSET fd:meta shards 4");
    assert_int_equal(publish_all(db, &config, error), PUBLISH_NO_REDIS);
    assert_non_null(strstr(error, "shards"));
    fixture_do(&jobs, "DEL fd:meta");
    publish(PUBLISH_OK, NULL);

    struct db *nowhere = db_new("host=/nonexistent", "test");
    assert_int_equal(publish_all(nowhere, &config, error), PUBLISH_NO_DATABASE);
    db_free(nowhere);
}

static void test_config(void **state)
{
    (void)state;
    pg_do(&pg, "INSERT INTO model_catalog (model_id, provider, name, context_length) VALUES"
               " ('m', 'p', 'Model M', 200000);"
               "INSERT INTO model_prices VALUES ('m', '2020-01-01', 1, 1),"
               " ('m', '2025-01-01', 3000000, 15000000), ('m', '2999-01-01', 1, 1);"
               "INSERT INTO org_ai_settings (org_id, enabled_models, default_model_id, widget)"
               " VALUES ('" ALICE "', '[{\"model_id\":\"m\",\"is_default\":true}]', 'm',"
               " '{\"features\":{\"model_picker\":true}}')");
    publish(PUBLISH_OK, ALICE);
    const char *json = ask(&live, "GET", "fd:cfg:" ALICE, NULL);
    assert_non_null(strstr(json, "$9.00/1M tokens \xc2\xb7 200k context"));
    assert_non_null(strstr(json, "\"label\":\"Model M\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),       cmocka_unit_test(test_revoke_and_expire),
        cmocka_unit_test(test_used_never_falls), cmocka_unit_test(test_generation_after_restore),
        cmocka_unit_test(test_publishers_race),  cmocka_unit_test(test_hints),
        cmocka_unit_test(test_servers_away),     cmocka_unit_test(test_config),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
