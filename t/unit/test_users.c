/* ADM-1 on the real schema: users and their roles, sessions and what ends them, one-time
 * tokens, tries. */
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
#include "tenant/teams.h"
#include "tenant/user_sessions.h"
#include "tenant/users.h"

#define ALICE "aaaaaaaa-0000-4000-8000-00000000000a"
#define BOB   "bbbbbbbb-0000-4000-8000-00000000000b"
#define GOOD  "some words in a row"
#define ALL   4

static struct pg_fixture pg;
static const struct config config = {
    .session_access_s = 600, .session_idle_s = 1800, .session_max_s = 43200};

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

static void refused(struct db *db, enum db_status status, const char *begins)
{
    assert_int_equal(status, DB_FAILED);
    if (strncmp(db_error(db), begins, strlen(begins)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", db_error(db), begins);
}

/* The first of all: it needs a platform without users. */
static void test_setup(void **state)
{
    char first[SIGN_IN_TOKEN_SIZE], second[SIGN_IN_TOKEN_SIZE], org[37], user[37];
    struct setup setup = {.organization = "Shop", .email = "a@shop.example", .password = GOOD};
    struct db *db = *state;
    bool done, open;

    assert_int_equal(setup_open(db, &open), DB_OK);
    assert_true(open);
    assert_int_equal(setup_token_make(db, first), DB_OK);
    assert_int_equal(setup_token_make(db, second), DB_OK);
    setup.token = "made up";
    assert_int_equal(setup_run(db, &setup, &done, org, user), DB_OK);
    assert_false(done);
    setup.token = second;
    setup.password = "short";
    refused(db, setup_run(db, &setup, &done, org, user), "password: ");
    setup.password = GOOD;
    pg_do(&pg, "UPDATE setup_tokens SET expires_at = now()");
    assert_int_equal(setup_run(db, &setup, &done, org, user), DB_OK);
    assert_false(done); /* a day has passed */
    assert_int_equal(setup_token_make(db, second), DB_OK);
    setup.token = second;
    assert_int_equal(setup_run(db, &setup, &done, org, user), DB_OK);
    assert_true(done);
    assert_string_equal(pg_do(&pg, "SELECT role || superadmin || plan_type FROM users"
                                   " JOIN organizations o ON o.id = org_id"),
                        "ownertruepro");
    assert_int_equal(setup_run(db, &setup, &done, org, user), DB_OK);
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
    char owner[37], staff[37], second[37];
    struct db *db = *state;

    assert_int_equal(users_find(db, ALICE, "owner@a.example", owner), DB_OK);
    assert_int_equal(users_find(db, ALICE, "staff@a.example", staff), DB_OK);
    const struct user_change admin = {.role = "admin"}, boss = {.role = "owner"};
    const struct user_change off = {.status = "disabled"}, on = {.status = "active"};
    refused(db, users_change(db, ALICE, owner, &admin, ALL), "role: an organisation has");
    refused(db, users_change(db, ALICE, owner, &off, ALL), "role: an organisation has");
    refused(db, users_change(db, ALICE, owner, &off, 2), "role: nobody changes");
    refused(db, users_change(db, ALICE, staff, &boss, 2), "role: nobody gives");
    refused(db, users_change(db, BOB, staff, &admin, ALL), "there is no such user");
    refused(db, users_change(db, ALICE, "x", &admin, ALL), "there is no such user");
    assert_int_equal(users_change(db, ALICE, staff, &admin, 2), DB_OK);
    make(db, ALICE, "second@a.example", "owner", second);
    assert_int_equal(users_change(db, ALICE, owner, &off, 3), DB_OK);
    refused(db, users_change(db, ALICE, second, &admin, 3), "role: an organisation has");
    assert_int_equal(users_change(db, ALICE, owner, &on, 3), DB_OK);
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
    pg_do(&pg, "UPDATE organizations SET status = 'suspended' WHERE id = '" BOB "'");
    assert_int_equal(sign_in_check(db, "owner@a.example", GOOD, NULL, &found), DB_OK);
    assert_int_equal(found.count, 1);
    pg_do(&pg, "UPDATE organizations SET status = 'active' WHERE id = '" BOB "'");
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
    assert_int_equal(sign_in_forgive(db, SIGN_IN_ACCOUNT, "x@a.example"), DB_OK);
    assert_int_equal(sign_in_try(db, SIGN_IN_ACCOUNT, "x@a.example", &wait), DB_OK);
    assert_int_equal(wait, 0);
    assert_string_equal(pg_do(&pg, "SELECT max(count) FROM sign_in_attempts"), "1");
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

static struct user_session start(struct db *db, const char *org, const char *user)
{
    struct user_session session;

    if (user_session_start(db, &config, org, user, "127.0.0.1", "test", &session) != DB_OK)
        fail_msg("%s", db_error(db));
    return session;
}

static bool lives(struct db *db, struct user_session *session)
{
    struct user_session next;
    bool alive;

    assert_int_equal(user_session_renew(db, &config, session->id, session->nonce, &alive, &next),
                     DB_OK);
    if (alive)
        *session = next;
    return alive;
}

static void test_sessions(void **state)
{
    char id[37];
    struct db *db = *state;
    PGresult *list;
    bool ended;

    assert_int_equal(users_find(db, ALICE, "staff@a.example", id), DB_OK);
    struct user_session one = start(db, ALICE, id), two = start(db, ALICE, id);
    assert_string_equal(one.role, "admin");
    assert_string_equal(one.team, "");
    assert_int_equal(one.expires - one.issued, 600);
    assert_in_range(one.ends - one.issued, 43199, 43200);
    assert_string_not_equal(one.id, two.id);
    assert_int_equal(user_sessions_list(db, &config, ALICE, id, &list), DB_OK);
    assert_int_equal(PQntuples(list), 2);
    PQclear(list);
    assert_true(lives(db, &one));
    assert_int_equal(user_session_end(db, BOB, id, one.id, "x", &ended), DB_OK);
    assert_false(ended); /* not there */
    assert_int_equal(user_session_end(db, ALICE, BOB, one.id, "x", &ended), DB_OK);
    assert_false(ended); /* not hers */
    assert_int_equal(user_session_end(db, ALICE, id, one.id, "x", &ended), DB_OK);
    assert_true(ended);
    assert_false(lives(db, &one));
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM platform_ended_sessions(NULL)"), "1");
    assert_int_equal(user_sessions_end(db, ALICE, id, two.id, "x"), DB_OK);
    assert_true(lives(db, &two));
    pg_do(&pg, "UPDATE users SET status = 'disabled' WHERE email = 'staff@a.example'");
    assert_false(lives(db, &two));
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM platform_ended_sessions('" ALICE "')"),
                        "2");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM platform_ended_sessions('" BOB "')"), "0");
    pg_do(&pg, "UPDATE users SET status = 'active' WHERE email = 'staff@a.example'");
    pg_do(&pg, "UPDATE user_sessions SET access_until = now() - interval '31 min'");
    assert_false(lives(db, &two)); /* idle */
    struct user_session three = start(db, ALICE, id);
    pg_do(&pg, "UPDATE user_sessions SET created_at = now() - interval '12 h 1 s'");
    assert_false(lives(db, &three)); /* old */
    struct user_session four = start(db, ALICE, id);
    for (int i = 0; i < USER_SESSIONS_MAX; i++)
        start(db, ALICE, id);
    assert_false(lives(db, &four)); /* one too many */
}

/* Claims whose successors were lost renew the session; those before them end it. */
static void test_stolen_claims(void **state)
{
    char id[37];
    struct db *db = *state;

    assert_int_equal(users_find(db, ALICE, "second@a.example", id), DB_OK);
    struct user_session first = start(db, ALICE, id), second = first, third = first;
    assert_true(lives(db, &second));
    struct user_session lost = second;
    assert_true(lives(db, &third)); /* the answer to the first renewal never came */
    struct user_session fourth = third;
    assert_true(lives(db, &fourth));
    assert_false(lives(db, &lost)); /* neither the newest nor those before */
    assert_false(lives(db, &fourth));
}

static void test_team_of_session(void **state)
{
    char user[37], team[37];
    struct db *db = *state;
    bool found;

    assert_int_equal(users_find(db, ALICE, "second@a.example", user), DB_OK);
    assert_int_equal(team_create(db, ALICE, "Desk", team), DB_OK);
    assert_int_equal(team_activate(db, ALICE, user, team, &found), DB_OK);
    assert_false(found); /* no member yet */
    assert_int_equal(team_add(db, BOB, team, user, "staff", &found), DB_OK);
    assert_false(found);
    assert_int_equal(team_add(db, ALICE, team, user, "staff", &found), DB_OK);
    assert_true(found);
    assert_int_equal(team_activate(db, ALICE, user, team, &found), DB_OK);
    assert_true(found);
    struct user_session session = start(db, ALICE, user);
    assert_string_equal(session.team, team);
    assert_int_equal(team_remove(db, ALICE, team, user, &found), DB_OK);
    assert_true(found);
    assert_true(lives(db, &session));
    assert_string_equal(session.team, "");
}

static void test_acting(void **state)
{
    char user[37];
    struct db *db = *state;

    assert_int_equal(users_find(db, ALICE, "second@a.example", user), DB_OK);
    struct user_session session = start(db, ALICE, user);
    refused(db, user_session_act(db, session.id, BOB), "there is no such organisation");
    pg_do(&pg, "UPDATE users SET superadmin = true WHERE email = 'second@a.example'");
    assert_int_equal(user_session_act(db, session.id, BOB), DB_OK);
    assert_true(lives(db, &session));
    assert_string_equal(session.org, BOB);
    assert_string_equal(session.role, "superadmin");
    pg_do(&pg, "UPDATE users SET superadmin = false WHERE email = 'second@a.example'");
    assert_true(lives(db, &session));
    assert_string_equal(session.org, ALICE);
    assert_string_equal(session.role, "owner");
}

static void test_resets(void **state)
{
    char user[37], org[37], who[37], first[SIGN_IN_TOKEN_SIZE], second[SIGN_IN_TOKEN_SIZE];
    struct sign_in_found found;
    struct db *db = *state;

    assert_int_equal(users_find(db, ALICE, "staff@a.example", user), DB_OK);
    refused(db, reset_token_make(db, BOB, user, first), "there is no such");
    assert_int_equal(reset_token_make(db, ALICE, user, first), DB_OK);
    assert_int_equal(reset_token_make(db, ALICE, user, second), DB_OK);
    refused(db, reset_password(db, "made up", "a new good one", org, who), "token: ");
    refused(db, reset_password(db, first, "staff@a.example", org, who), "password: ");
    assert_int_equal(reset_password(db, first, "a new good one", org, who), DB_OK);
    assert_string_equal(who, user);
    assert_string_equal(org, ALICE);
    refused(db, reset_password(db, first, "a new good one", org, who), "token: ");
    refused(db, reset_password(db, second, "a new good one", org, who), "token: "); /* void */
    assert_int_equal(sign_in_check(db, "staff@a.example", "a new good one", NULL, &found), DB_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(reset_token_make(db, ALICE, user, first), DB_OK);
    pg_do(&pg, "UPDATE password_resets SET expires_at = now()");
    refused(db, reset_password(db, first, "a new good one", org, who), "token: ");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM password_resets"
                                   " WHERE token_sha256 !~ '^[0-9a-f]{64}$'"),
                        "0");
}

static void test_audit(void **state)
{
    const struct audit_entry entry = {.org = ALICE,
                                      .actor = "command",
                                      .action = "test",
                                      .before = "{\"a\":1}",
                                      .after = "{\"a\":2}"};
    PGresult *list;

    assert_int_equal(audit_write(*state, &entry), DB_OK);
    assert_int_equal(audit_list(*state, ALICE, "command", "test", NULL, 10, &list), DB_OK);
    assert_int_equal(PQntuples(list), 1);
    assert_string_equal(db_text(list, 0, AUDIT_AFTER), "{\"a\": 2}");
    PQclear(list);
    assert_int_equal(audit_list(*state, BOB, NULL, NULL, NULL, 10, &list), DB_OK);
    assert_int_equal(PQntuples(list), 0);
    PQclear(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setup),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_sign_in),
        cmocka_unit_test(test_unknown_takes_as_long),
        cmocka_unit_test(test_rehash),
        cmocka_unit_test(test_tries),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_stolen_claims),
        cmocka_unit_test(test_team_of_session),
        cmocka_unit_test(test_acting),
        cmocka_unit_test(test_resets),
        cmocka_unit_test(test_audit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
