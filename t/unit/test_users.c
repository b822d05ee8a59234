/* ADM-1 on the real schema: users and their roles, passwords, tries, one-time tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "schema_fixture.h"
#include "tenant/audit.h"
#include "tenant/password.h"
#include "tenant/sign_in.h"
#include "tenant/users.h"

#define ALICE "aaaaaaaa-0000-4000-8000-00000000000a"
#define BOB   "bbbbbbbb-0000-4000-8000-00000000000b"
#define GOOD  "some words in a row"
#define ALL   4

static struct pg_fixture pg;

static int set_up(void **state)
{
    if (!schema_start(&pg))
        return -1;
    *state = db_new(pg.app, "test");
    return 0;
}

static int tear_down(void **state)
{
    db_free(*state);
    pg_end(&pg);
    return 0;
}

static void make(struct db *db, const char *org, const char *email, const char *role, char id[37])
{
    const struct user_new user = {.org = org, .email = email, .role = role, .password = GOOD};

    if (users_create(db, &user, ALL, id) != DB_OK)
        fail_msg("%s: %s", email, db_error(db));
}

static enum db_status change(struct db *db, const char *org, const char *id,
                             const struct user_change *to, int rank)
{
    PGresult *ended;

    enum db_status status = users_change(db, org, id, to, rank, &ended);
    PQclear(ended);
    return status;
}

static void refused(struct db *db, enum db_status status, const char *begins)
{
    assert_int_equal(status, DB_FAILED);
    if (strncmp(db_error(db), begins, strlen(begins)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", db_error(db), begins);
}

/* The first of all: it needs a platform without users. */
static void test_setup(void **state)
{
    char first[SIGN_IN_TOKEN_SIZE], second[SIGN_IN_TOKEN_SIZE];
    struct setup_made made;
    struct setup setup = {.organization = "Shop", .email = "a@shop.example", .password = GOOD};
    struct db *db = *state;
    bool done, open;

    assert_int_equal(setup_open(db, &open), DB_OK);
    assert_true(open);
    assert_int_equal(setup_token_make(db, first), DB_OK);
    assert_int_equal(setup_token_make(db, second), DB_OK);
    setup.token = "made up";
    assert_int_equal(setup_run(db, &setup, &done, &made), DB_OK);
    assert_false(done);
    setup.token = second;
    setup.password = "short";
    refused(db, setup_run(db, &setup, &done, &made), "password: ");
    setup.password = GOOD;
    pg_do(&pg, "UPDATE setup_tokens SET expires_at = now()");
    assert_int_equal(setup_run(db, &setup, &done, &made), DB_OK);
    assert_false(done); /* a day has passed */
    assert_int_equal(setup_token_make(db, second), DB_OK);
    setup.token = second;
    assert_int_equal(setup_run(db, &setup, &done, &made), DB_OK);
    assert_true(done);
    assert_string_equal(pg_do(&pg, "SELECT role || superadmin || plan_type FROM users"
                                   " JOIN organizations o ON o.id = org_id"),
                        "ownertruepro");
    assert_true(fd_api_key_valid(made.key, strlen(made.key), NULL));
    assert_string_equal(pg_do(&pg, "SELECT kind || cardinality(origins) FROM api_keys"), "pk0");
    assert_int_equal(setup_run(db, &setup, &done, &made), DB_OK);
    assert_false(done);
    refused(db, setup_token_make(db, first), "there are users");
    pg_do(&pg,
          "INSERT INTO organizations (id, name) VALUES ('" ALICE "', 'Alice'), ('" BOB "', 'Bob')");
}

static void test_users(void **state)
{
    char owner[37], staff[37], id[37];
    struct db *db = *state;
    PGresult *list;

    make(db, ALICE, "Owner@a.example", "owner", owner);
    make(db, ALICE, "staff@a.example", "staff", staff);
    struct user_new user = {.org = ALICE, .email = "OWNER@a.example", .role = "staff"};
    assert_int_equal(users_create(db, &user, ALL, id), DB_CONFLICT);
    user.email = "no address";
    refused(db, users_create(db, &user, ALL, id), "email: ");
    user.email = "x@a.example";
    user.role = "superadmin";
    refused(db, users_create(db, &user, ALL, id), "role: ");
    user.role = "owner";
    refused(db, users_create(db, &user, 2, id), "role: ");
    user.password = "x@a.example";
    refused(db, users_create(db, &user, 3, id), "password: ");
    assert_int_equal(users_find(db, ALICE, "owner@A.example", id), DB_OK);
    assert_string_equal(id, owner);
    refused(db, users_find(db, BOB, "owner@a.example", id), "there is no user");
    assert_int_equal(users_list(db, ALICE, NULL, 10, &list), DB_OK);
    assert_int_equal(PQntuples(list), 2);
    PQclear(list);
    assert_int_equal(users_list(db, ALICE, owner, 10, &list), DB_OK);
    assert_int_equal(PQntuples(list), 1);
    assert_string_equal(db_text(list, 0, USER_ID), staff);
    PQclear(list);
}

static void test_roles(void **state)
{
    char owner[37], staff[37], second[37], third[37];
    struct db *db = *state;

    assert_int_equal(users_find(db, ALICE, "owner@a.example", owner), DB_OK);
    assert_int_equal(users_find(db, ALICE, "staff@a.example", staff), DB_OK);
    const struct user_change admin = {.role = "admin"}, boss = {.role = "owner"};
    const struct user_change off = {.status = "disabled"}, on = {.status = "active"};
    refused(db, change(db, ALICE, owner, &admin, ALL), "role: an organisation has");
    refused(db, change(db, ALICE, owner, &off, ALL), "role: an organisation has");
    refused(db, change(db, ALICE, owner, &off, 2), "role: nobody changes");
    refused(db, change(db, ALICE, staff, &boss, 2), "role: nobody gives");
    refused(db, change(db, BOB, staff, &admin, ALL), "there is no such user");
    refused(db, change(db, ALICE, "x", &admin, ALL), "there is no such user");
    assert_int_equal(change(db, ALICE, staff, &admin, 2), DB_OK);
    make(db, ALICE, "second@a.example", "owner", second);
    assert_int_equal(change(db, ALICE, owner, &off, 3), DB_OK);
    refused(db, change(db, ALICE, second, &admin, 3), "role: an organisation has");
    /* an owner who never chose a password cannot sign in */
    const struct user_new invited = {.org = ALICE, .email = "invited@a.example", .role = "owner"};
    assert_int_equal(users_create(db, &invited, ALL, third), DB_OK);
    refused(db, change(db, ALICE, second, &admin, 3), "role: an organisation has");
    assert_int_equal(change(db, ALICE, third, &admin, 3), DB_OK); /* nobody counts on this one */
    pg_do(&pg, "DELETE FROM users WHERE email = 'invited@a.example'");
    assert_int_equal(change(db, ALICE, owner, &on, 3), DB_OK);
    /* the application cannot make a superadmin, whatever it is told */
    static const struct db_statement escalate = {
        "test_escalate", "UPDATE users SET superadmin = true WHERE org_id = $1", 1};
    const char *org = ALICE;
    assert_int_equal(db_query(db, ALICE, &escalate, &org, NULL), DB_FAILED);
    assert_string_equal(db_sqlstate(db), "42501");
}

static void test_sign_in(void **state)
{
    char id[37];
    struct sign_in_found found;
    struct db *db = *state;

    make(db, BOB, "owner@a.example", "staff", id);
    assert_int_equal(sign_in_check(db, "OWNER@a.example", GOOD, NULL, &found), DB_OK);
    assert_int_equal(found.count, 2);
    assert_int_equal(sign_in_check(db, "owner@a.example", GOOD, "Bob", &found), DB_OK);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.at[0].org, BOB);
    assert_int_equal(sign_in_check(db, "owner@a.example", GOOD, ALICE, &found), DB_OK);
    assert_string_equal(found.at[0].org, ALICE);
    assert_int_equal(sign_in_check(db, "owner@a.example", "not it", NULL, &found), DB_OK);
    assert_int_equal(found.count, 0);
    assert_int_equal(sign_in_check(db, "nobody@a.example", GOOD, NULL, &found), DB_OK);
    assert_int_equal(found.count, 0);
    pg_do(&pg, "UPDATE organizations SET status = 'disabled' WHERE id = '" BOB "'");
    assert_int_equal(sign_in_check(db, "owner@a.example", GOOD, NULL, &found), DB_OK);
    assert_int_equal(found.count, 1);
    pg_do(&pg, "UPDATE organizations SET status = 'active' WHERE id = '" BOB "'");
}

/* Whoever makes users of somebody's address does not lock that person out. */
static void test_sign_in_among_many(void **state)
{
    struct sign_in_found found;
    struct db *db = *state;

    pg_do(&pg, "INSERT INTO organizations (id, name) SELECT"
               " format('cccccccc-0000-4000-8000-%s', lpad(n::text, 12, '0'))::uuid,"
               " CASE WHEN n = 1 THEN '" ALICE "' ELSE 'Crowd' END FROM generate_series(1, 9) n");
    pg_do(&pg, "INSERT INTO users (org_id, email, role, password_hash, last_sign_in_at)"
               " SELECT o.id, 'owner@a.example', 'staff', 'x', now() FROM organizations o"
               "  WHERE o.id::text LIKE 'cccccccc-%'");
    assert_int_equal(sign_in_check(db, "owner@a.example", GOOD, "Alice", &found), DB_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(sign_in_check(db, "owner@a.example", GOOD, ALICE, &found), DB_OK);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.at[0].org, ALICE);
    pg_do(&pg, "DELETE FROM organizations WHERE id::text LIKE 'cccccccc-%'");
}

/* Another user's password is not it, whatever an organisation is called. */
static void test_proves(void **state)
{
    char alices[37], bobs[37];
    PGresult *ended;
    struct db *db = *state;
    bool right;

    assert_int_equal(users_find(db, ALICE, "owner@a.example", alices), DB_OK);
    assert_int_equal(users_find(db, BOB, "owner@a.example", bobs), DB_OK);
    assert_int_equal(users_set_password(db, BOB, bobs, "quite another one", NULL, &ended), DB_OK);
    PQclear(ended);
    pg_do(&pg, "UPDATE organizations SET name = '" ALICE "' WHERE id = '" BOB "'");
    assert_int_equal(sign_in_proves(db, ALICE, alices, GOOD, &right), DB_OK);
    assert_true(right);
    assert_int_equal(sign_in_proves(db, ALICE, alices, "quite another one", &right), DB_OK);
    assert_false(right);
    assert_int_equal(sign_in_proves(db, BOB, alices, GOOD, &right), DB_OK);
    assert_false(right);
    pg_do(&pg, "UPDATE organizations SET name = 'Bob' WHERE id = '" BOB "'");
}

static int64_t check_us(struct db *db, const char *email)
{
    struct timespec from, to;
    struct sign_in_found found;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    assert_int_equal(sign_in_check(db, email, "not it", NULL, &found), DB_OK);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

/* By its work, not by the clock of a busy machine. */
static void test_unknown_takes_as_long(void **state)
{
    int64_t known = INT64_MAX, unknown = INT64_MAX;

    for (int i = 0; i < 4; i++) {
        int64_t a = check_us(*state, "second@a.example"), b = check_us(*state, "nobody@a.example");
        known = a < known ? a : known;
        unknown = b < unknown ? b : unknown;
    }
    assert_true(unknown > known / 2 && known > unknown / 2);
}

/* A hash of weaker parameters is replaced by the sign-in that proves the password. */
static void test_rehash(void **state)
{
    char id[37], weak[PASSWORD_HASH_SIZE], sql[512];
    struct sign_in_found found;

    make(*state, ALICE, "old@a.example", "staff", id);
    assert_int_equal(crypto_pwhash_str_alg(weak, GOOD, strlen(GOOD), 1, 8192 * 1024,
                                           crypto_pwhash_ALG_ARGON2ID13),
                     0);
    snprintf(sql, sizeof(sql), "UPDATE users SET password_hash = '%s' WHERE id = '%s'", weak, id);
    pg_do(&pg, sql);
    assert_int_equal(sign_in_check(*state, "old@a.example", GOOD, NULL, &found), DB_OK);
    assert_int_equal(found.count, 1);
    snprintf(sql, sizeof(sql),
             "SELECT password_hash LIKE '$argon2id$v=19$m=65536,t=2,%%' FROM users WHERE id = '%s'",
             id);
    assert_string_equal(pg_do(&pg, sql), "t");
}

static void test_tries(void **state)
{
    struct db *db = *state;
    int wait = 0;

    for (int i = 0; i < ACCOUNT_FREE_TRIES; i++) {
        assert_int_equal(sign_in_try(db, SIGN_IN_ACCOUNT, "x@a.example", &wait), DB_OK);
        assert_int_equal(wait, 0);
    }
    pg_do(&pg, "UPDATE sign_in_attempts SET next_at = now() + interval '30 s'");
    assert_int_equal(sign_in_try(db, SIGN_IN_ACCOUNT, "X@A.example", &wait), DB_OK);
    assert_in_range(wait, 25, 30);
    assert_int_equal(sign_in_try(db, SIGN_IN_ADDRESS, "x@a.example", &wait), DB_OK);
    assert_int_equal(wait, 0); /* of another kind */
    /* each wait is twice the one before, up to a bound */
    for (int i = 0; i < 12; i++) {
        pg_do(&pg, "UPDATE sign_in_attempts SET next_at = now()");
        sign_in_try(db, SIGN_IN_ACCOUNT, "x@a.example", &wait);
        assert_int_equal(wait, 0);
        if (i == 1)
            assert_string_equal(pg_do(&pg, "SELECT round(extract(epoch FROM next_at - last_at))"
                                           " FROM sign_in_attempts ORDER BY count DESC LIMIT 1"),
                                "4");
    }
    assert_string_equal(pg_do(&pg, "SELECT round(extract(epoch FROM next_at - last_at))"
                                   " FROM sign_in_attempts ORDER BY count DESC LIMIT 1"),
                        "60");
    pg_do(&pg, "DELETE FROM sign_in_attempts");
    /* one network, one subject */
    sign_in_try(db, SIGN_IN_ADDRESS, "2001:db8:1:2::1", &wait);
    sign_in_try(db, SIGN_IN_ADDRESS, "2001:db8:1:2:ffff::9", &wait);
    assert_string_equal(pg_do(&pg, "SELECT max(count) FROM sign_in_attempts"), "2");
    sign_in_try(db, SIGN_IN_ADDRESS, "2001:db8:1:3::1", &wait);
    assert_string_equal(pg_do(&pg, "SELECT max(count) FROM sign_in_attempts"), "2");
    /* what nobody tried for an hour is forgotten, and its row goes with another's try */
    pg_do(&pg, "UPDATE sign_in_attempts SET last_at = now() - interval '61 min', count = 50,"
               " next_at = now() + interval '1 min'");
    assert_int_equal(sign_in_try(db, SIGN_IN_ACCOUNT, "x@a.example", &wait), DB_OK);
    assert_int_equal(wait, 0);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM sign_in_attempts"), "1");
    assert_string_equal(
        pg_do(&pg, "SELECT count(*) FROM sign_in_attempts WHERE name ~ 'a.example'"), "0");
}

/* Right tries, maybe of a user whom somebody made of the same address elsewhere, buy no
 * guesses: only what they cost themselves is taken back. */
static void test_forgiven(void **state)
{
    struct db *db = *state;
    int wait = 0;

    pg_do(&pg, "DELETE FROM sign_in_attempts");
    for (int i = 0; i < ACCOUNT_FREE_TRIES; i++) {
        assert_int_equal(sign_in_try(db, SIGN_IN_ACCOUNT, "x@a.example", &wait), DB_OK); /* wrong */
        assert_int_equal(wait, 0);
        pg_do(&pg, "UPDATE sign_in_attempts SET next_at = now()");
        assert_int_equal(sign_in_try(db, SIGN_IN_ACCOUNT, "x@a.example", &wait), DB_OK);
        assert_int_equal(wait, 0);
        assert_int_equal(sign_in_forgive(db, SIGN_IN_ACCOUNT, "x@a.example"), DB_OK);
    }
    assert_string_equal(pg_do(&pg, "SELECT max(count) FROM sign_in_attempts"), "5");
    assert_int_equal(sign_in_try(db, SIGN_IN_ACCOUNT, "x@a.example", &wait), DB_OK); /* wrong */
    assert_int_equal(wait, 0);
    assert_int_equal(sign_in_try(db, SIGN_IN_ACCOUNT, "x@a.example", &wait), DB_OK);
    assert_in_range(wait, 1, 2);
    /* only right ones never wait */
    for (int i = 0; i < 3 * ACCOUNT_FREE_TRIES; i++) {
        assert_int_equal(sign_in_try(db, SIGN_IN_ACCOUNT, "y@a.example", &wait), DB_OK);
        assert_int_equal(wait, 0);
        assert_int_equal(sign_in_forgive(db, SIGN_IN_ACCOUNT, "y@a.example"), DB_OK);
    }
}

/* One bucket for all that find the same user; a user's own is another. */
static void test_names_of_tries(void **state)
{
    static const char *const same[] = {"k\xC3\xA9@a.example", "K\xC3\x89@A.example",
                                       "\xE2\x84\xAA\xC3\xA9@a.example"}; /* the Kelvin sign */
    struct db *db = *state;
    int wait;

    pg_do(&pg, "DELETE FROM sign_in_attempts");
    assert_string_equal(pg_do(&pg, "SELECT lower(U&'\\212A') = 'k'"), "t");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sign_in_try(db, SIGN_IN_ACCOUNT, same[i], &wait), DB_OK);
    assert_string_equal(pg_do(&pg, "SELECT count(*) || ':' || max(count) FROM sign_in_attempts"),
                        "1:3");
    assert_int_equal(sign_in_try(db, SIGN_IN_USER, ALICE, &wait), DB_OK);
    assert_int_equal(sign_in_try(db, SIGN_IN_ACCOUNT, ALICE, &wait), DB_OK);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM sign_in_attempts"), "3");
}

static void test_resets(void **state)
{
    char user[37], org[37], who[37], first[SIGN_IN_TOKEN_SIZE], second[SIGN_IN_TOKEN_SIZE];
    struct sign_in_found found;
    struct db *db = *state;
    PGresult *ended;

    assert_int_equal(users_find(db, ALICE, "staff@a.example", user), DB_OK);
    refused(db, reset_token_make(db, BOB, user, ALL, first), "there is no such");
    refused(db, reset_token_make(db, ALICE, user, 1, first), "role: nobody");
    assert_int_equal(reset_token_make(db, ALICE, user, ALL, second), DB_OK);
    assert_int_equal(reset_token_make(db, ALICE, user, ALL, first), DB_OK);
    refused(db, reset_password(db, second, "a new good one", org, who, &ended),
            "token: "); /* void */
    refused(db, reset_password(db, "made up", "a new good one", org, who, &ended), "token: ");
    refused(db, reset_password(db, first, "staff@a.example", org, who, &ended), "password: ");
    assert_int_equal(reset_password(db, first, "a new good one", org, who, &ended), DB_OK);
    PQclear(ended);
    assert_string_equal(who, user);
    assert_string_equal(org, ALICE);
    refused(db, reset_password(db, first, "a new good one", org, who, &ended), "token: ");
    assert_int_equal(sign_in_check(db, "staff@a.example", "a new good one", NULL, &found), DB_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(reset_token_make(db, ALICE, user, ALL, first), DB_OK);
    pg_do(&pg, "UPDATE password_resets SET expires_at = now()");
    refused(db, reset_password(db, first, "a new good one", org, who, &ended), "token: ");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM password_resets"
                                   " WHERE token_sha256 !~ '^[0-9a-f]{64}$'"),
                        "0");
}

/* By the pass that deletes what is old; those of the last days say who made them. */
static void test_forgotten_tokens(void **state)
{
    char user[37], token[SIGN_IN_TOKEN_SIZE];
    struct db *db = *state;

    assert_int_equal(users_find(db, ALICE, "staff@a.example", user), DB_OK);
    pg_do(&pg, "UPDATE password_resets SET expires_at = now() - interval '8 days'");
    assert_int_equal(reset_token_make(db, ALICE, user, ALL, token), DB_OK);
    pg_do(&pg, "INSERT INTO setup_tokens VALUES (repeat('a', 64), now() - interval '1 s'),"
               " (repeat('b', 64), now() + interval '1 h')");
    assert_int_equal(sign_in_forget_tokens(db), DB_OK);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM password_resets"), "1");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM setup_tokens"), "1");
}

/* How many rows there are: the first is there in any case. */
static int found(const PGresult *list)
{
    return db_text(list, 0, AUDIT_ID) != NULL ? PQntuples(list) : 0;
}

static int count(struct db *db, const char *org, struct audit_filter filter)
{
    PGresult *list;

    assert_int_equal(audit_list(db, org, &filter, (struct audit_place){0}, 10, &list), DB_OK);
    int rows = found(list);
    assert_null(db_text(list, 0, AUDIT_LOOKED_AT)); /* to the end */
    PQclear(list);
    return rows;
}

static void test_audit(void **state)
{
    struct audit_entry entry = {.org = ALICE,
                                .actor = "command",
                                .action = "test",
                                .deed = {"tools", "change"},
                                .thing = "tools/order",
                                .before = "{\"a\":1}",
                                .after = "{\"a\":2}"};
    const struct audit_filter mine = {.actor = "command", .action = "test"};
    PGresult *list;

    assert_int_equal(audit_write(*state, &entry), DB_OK);
    entry.actor = "cli:dana";
    entry.deed.verb = "remove";
    entry.thing = "tools/other";
    assert_int_equal(audit_write(*state, &entry), DB_OK);
    assert_int_equal(count(*state, ALICE, (struct audit_filter){.part = "OMM"}), 1);
    assert_int_equal(count(*state, ALICE, (struct audit_filter){.part = "%"}), 0);
    assert_int_equal(count(*state, ALICE, (struct audit_filter){.kind = "tools"}), 2);
    assert_int_equal(count(*state, ALICE, (struct audit_filter){.kind = "keys"}), 0);
    assert_int_equal(count(*state, ALICE, (struct audit_filter){.kind = "tools", .verb = "remove"}),
                     1);
    assert_int_equal(count(*state, ALICE, (struct audit_filter){.thing = "tools/order"}), 1);
    assert_int_equal(count(*state, ALICE, (struct audit_filter){.actor = "cli"}), 1);
    assert_int_equal(count(*state, ALICE, (struct audit_filter){.actor = "cli:dana"}), 1);
    assert_int_equal(count(*state, ALICE, (struct audit_filter){.to = "2026-01-01T00:00:00Z"}), 0);
    assert_int_equal(count(*state, ALICE,
                           (struct audit_filter){.kind = "tools", .from = "2026-01-01T00:00:00Z"}),
                     2);
    assert_int_equal(count(*state, BOB, (struct audit_filter){0}), 0);

    assert_int_equal(audit_list(*state, ALICE, &mine, (struct audit_place){0}, 10, &list), DB_OK);
    assert_int_equal(found(list), 1);
    assert_string_equal(db_text(list, 0, AUDIT_AFTER), "{\"a\": 2}");
    const struct audit_place after = {db_text(list, 0, AUDIT_PLACE_AT),
                                      db_text(list, 0, AUDIT_PLACE_ID)};
    PGresult *rest;
    assert_int_equal(audit_list(*state, ALICE, &mine, after, 10, &rest), DB_OK);
    assert_int_equal(found(rest), 0);
    PQclear(rest);
    PQclear(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setup),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_sign_in),
        cmocka_unit_test(test_sign_in_among_many),
        cmocka_unit_test(test_proves),
        cmocka_unit_test(test_unknown_takes_as_long),
        cmocka_unit_test(test_rehash),
        cmocka_unit_test(test_tries),
        cmocka_unit_test(test_forgiven),
        cmocka_unit_test(test_names_of_tries),
        cmocka_unit_test(test_resets),
        cmocka_unit_test(test_forgotten_tokens),
        cmocka_unit_test(test_audit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
