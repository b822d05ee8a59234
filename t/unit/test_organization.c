/* tenant/organization.h, tenant/sightings.h: the rules, and what a stranger's entry does.
 * ADM-2 ADM-7 */
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
#include "tenant/organization.h"
#include "tenant/sightings.h"

static struct pg_fixture pg;
static struct redis_fixture live;
static struct config config;
static struct db *db;

static int set_up(void **state)
{
    struct arena a;
    struct migration_list list;
    char error[256];

    (void)state;
    arena_init(&a);
    if (!pg_start(&pg) || !fixture_init(&live) || !fixture_start(&live) ||
        !migrate_read(&a, "migrations", &list, error))
        return -1;
    struct db *owner = db_new(pg.owner, "test");
    bool ok = migrate_up(owner, &a, &list, NULL) == DB_OK;
    db_free(owner);
    arena_free(&a);
    db = db_new(pg.app, "test");
    config.live_redis = live.address;
    return ok ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(db);
    fixture_end(&live);
    pg_end(&pg);
    return 0;
}

static void names_and_domains(void **state)
{
    static const char *const names[] = {"Tea", "Tea & Co", "\xd7\x97\xd7\xa0\xd7\x95\xd7\xaa", "7"};
    static const char *const not_names[] = {
        "", " ", "Tea ", "a  b", "a\nb", "a\xe2\x80\xaey", "\xe2\x80\x8b", "a\tb", "\x7f"};
    static const char *const domains[] = {"tea.example", "a.b.example", "localhost", "x-y.example"};
    static const char *const not_domains[] = {
        "",      "Tea.example",    "tea.example/",      "*.tea.example",
        "a b",   "tea.example:80", "https://a.example", "a..example",
        "[::1]", "user@a.example"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_null(organization_name_fault(names[i]));
    for (size_t i = 0; i < sizeof(not_names) / sizeof(*not_names); i++)
        assert_non_null(organization_name_fault(not_names[i]));
    for (size_t i = 0; i < sizeof(domains) / sizeof(*domains); i++)
        assert_null(organization_domain_fault(domains[i]));
    for (size_t i = 0; i < sizeof(not_domains) / sizeof(*not_domains); i++)
        assert_non_null(organization_domain_fault(not_domains[i]));
}

static void one_is_made_whole_or_not_at_all(void **state)
{
    struct organization_keys keys;
    struct organization_new made = {.name = "Whole", .domain = "whole.example"};
    char id[37];

    (void)state;
    assert_int_equal(organization_create(db, &made, id, &keys), DB_OK);
    assert_true(fd_api_key_valid(keys.secret, strlen(keys.secret), NULL));
    assert_string_equal(pg_do(&pg, "SELECT string_agg(kind || array_to_string(origins, ' '), ',' "
                                   "ORDER BY kind) FROM api_keys"),
                        "pkhttps://whole.example https://www.whole.example,sk");
    assert_string_equal(pg_do(&pg, "SELECT languages::text FROM org_ai_settings"), "{en}");
    pg_do(&pg, "ALTER TABLE api_keys ADD CONSTRAINT no_more CHECK (name <> 'Server') NOT VALID");
    made.name = "Half";
    assert_int_equal(organization_create(db, &made, id, &keys), DB_CONFLICT);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM organizations"), "1");
    assert_int_equal(keys.publishable[0], '\0');
    pg_do(&pg, "ALTER TABLE api_keys DROP CONSTRAINT no_more");
}

static void redis(const char *command)
{
    redisContext *c = redisConnectUnix(live.socket);
    redisReply *reply = redisCommand(c, command);
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    freeReplyObject(reply);
    redisFree(c);
}

static void see(const char *org, const char *key, const char *origin, const char *more)
{
    char command[1024];

    snprintf(command, sizeof(command), "XADD fd:seen * org %s key %s origin %s %s", org, key,
             origin, more);
    redis(command);
}

static void what_nginx_left_is_brought_in(void **state)
{
    struct organization_keys keys;
    const struct organization_new made = {.name = "Seen", .domain = "seen.example"};
    char id[37], key[37];
    PGresult *rows;

    (void)state;
    assert_int_equal(organization_create(db, &made, id, &keys), DB_OK);
    snprintf(key, sizeof(key), "%.36s",
             pg_do(&pg, "SELECT k.id FROM api_keys k JOIN organizations o ON o.id = k.org_id"
                        " WHERE kind = 'pk' AND o.name = 'Seen'"));
    see(id, key, "https://seen.example", "allowed 1 version 1.0");
    see(id, key, "https://seen.example", "allowed 1");
    see(id, key, "https://other.example", "allowed 0");
    /* none of ours */
    see("x", key, "https://bad.example", "allowed 1");
    see(id, "x", "https://bad.example", "allowed 1");
    see(id, id, "https://bad.example", "allowed 1"); /* no such key */
    see(id, key, "https://bad.example", "");
    redis("XADD fd:seen * nothing here");
    assert_true(sightings_collect(db, &config));
    assert_true(sightings_collect(db, &config)); /* of nothing */
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM sightings"), "2");
    assert_int_equal(sightings_list(db, id, &rows), DB_OK);
    assert_int_equal(PQntuples(rows), 2);
    for (int row = 0; row < 2; row++) {
        bool refused = strcmp(db_text(rows, row, SIGHTING_ORIGIN), "https://other.example") == 0;
        assert_int_equal(db_true(rows, row, SIGHTING_REFUSED), refused);
        assert_int_equal(db_text(rows, row, SIGHTING_LAST_SEEN) == NULL, refused);
        if (!refused)
            assert_string_equal(db_text(rows, row, SIGHTING_VERSION), "1.0");
    }
    PQclear(rows);

    pg_do(&pg, "UPDATE sightings SET last_seen = last_seen - interval '1 day'");
    see(id, key, "https://seen.example", "allowed 0");
    assert_true(sightings_collect(db, &config));
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM sightings WHERE last_refused > last_seen"),
                        "1");
    assert_int_equal(sightings_list(db, id, &rows), DB_OK);
    for (int row = 0; row < PQntuples(rows); row++) /* it is on the key's list again */
        assert_int_equal(db_true(rows, row, SIGHTING_REFUSED),
                         strcmp(db_text(rows, row, SIGHTING_ORIGIN), "https://other.example") == 0);
    PQclear(rows);
}

static void more_than_one_part_is_taken(void **state)
{
    char key[37], org[37];

    (void)state;
    snprintf(org, sizeof(org), "%.36s",
             pg_do(&pg, "SELECT id FROM organizations WHERE name = 'Seen'"));
    snprintf(key, sizeof(key), "%.36s",
             pg_do(&pg, "SELECT k.id FROM api_keys k JOIN organizations o ON o.id = k.org_id"
                        " WHERE kind = 'pk' AND o.name = 'Seen'"));
    for (int i = 0; i < 1100; i++) {
        char origin[64];
        snprintf(origin, sizeof(origin), "https://s%d.example", i);
        see(org, key, origin, i % 2 == 0 ? "allowed 1" : "allowed 0");
    }
    assert_true(sightings_collect(db, &config));
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM sightings WHERE last_seen IS NULL"), "50");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM sightings WHERE last_seen IS NOT NULL"),
                        "50");
    assert_string_equal(
        pg_do(&pg, "SELECT count(*) FROM sightings WHERE origin = 'https://s1099.example'"), "1");
    fixture_end(&live);
    assert_false(sightings_collect(db, &config)); /* and says so in the log */
    assert_true(fixture_init(&live) && fixture_start(&live));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_domains),
        cmocka_unit_test(one_is_made_whole_or_not_at_all),
        cmocka_unit_test(what_nginx_left_is_brought_in),
        cmocka_unit_test(more_than_one_part_is_taken),
    };
    return cmocka_run_group_tests_name("ADM-2 ADM-7 organizations", tests, set_up, tear_down);
}
