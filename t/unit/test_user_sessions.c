/* ADM-1 on the real schema: sessions of users, and what ends them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "schema_fixture.h"
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
    pg_do(&pg,
          "INSERT INTO organizations (id, name) VALUES ('" ALICE "', 'Alice'), ('" BOB "', 'Bob')");
    pg_do(&pg,
          "INSERT INTO users (org_id, email, role) VALUES"
          " ('" ALICE "', 'staff@a.example', 'admin'), ('" ALICE "', 'second@a.example', 'owner')");
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

static struct user_session start(struct db *db, const char *org, const char *user)
{
    const struct user_session_new from = {
        .org = org, .user = user, .address = "127.0.0.1", .agent = "test"};
    struct user_session session;
    PGresult *ended;

    if (user_session_start(db, &config, &from, &session, &ended) != DB_OK)
        fail_msg("%s", db_error(db));
    PQclear(ended);
    return session;
}

static bool lives(struct db *db, struct user_session *session)
{
    struct user_session next;
    PGresult *ended;
    bool alive;

    assert_int_equal(
        user_session_renew(db, &config, session->id, session->nonce, &alive, &next, &ended), DB_OK);
    PQclear(ended);
    if (alive)
        *session = next;
    return alive;
}

static int ended_by(struct db *db, const char *org, const char *user, const char *id)
{
    PGresult *ended;

    assert_int_equal(user_session_end(db, org, user, id, "x", &ended), DB_OK);
    int count = PQntuples(ended);
    if (count == 1)
        assert_string_equal(db_text(ended, 0, 0), id);
    PQclear(ended);
    return count;
}

static void test_sessions(void **state)
{
    char id[37];
    struct db *db = *state;
    PGresult *list, *ended;

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
    assert_int_equal(ended_by(db, BOB, id, one.id), 0);    /* not there */
    assert_int_equal(ended_by(db, ALICE, BOB, one.id), 0); /* not hers */
    assert_int_equal(ended_by(db, ALICE, id, one.id), 1);
    assert_int_equal(ended_by(db, ALICE, id, one.id), 0); /* over */
    assert_false(lives(db, &one));
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM platform_ended_sessions(NULL)"), "1");
    assert_int_equal(user_sessions_end(db, ALICE, id, two.id, "x", &ended), DB_OK);
    assert_int_equal(PQntuples(ended), 0);
    PQclear(ended);
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
    struct user_session five = start(db, ALICE, id);
    for (int i = 0; i < USER_SESSIONS_MAX; i++) {
        start(db, ALICE, id);
        assert_true(lives(db, &five)); /* it is in use */
    }
}

/* What ends access, and what it ends, are one transaction; its rows are what nginx is told. */
static void test_ended_with_it(void **state)
{
    const struct user_change down = {.role = "staff"}, same = {.role = "staff", .name = "S"};
    char id[37], token[SIGN_IN_TOKEN_SIZE], org[37], who[37];
    struct db *db = *state;
    PGresult *ended;

    make(db, ALICE, "ends@a.example", "admin", id);
    struct user_session one = start(db, ALICE, id), two = start(db, ALICE, id);
    assert_int_equal(reset_token_make(db, ALICE, id, ALL, token), DB_OK);
    assert_int_equal(users_change(db, ALICE, id, &down, ALL, &ended), DB_OK);
    assert_int_equal(PQntuples(ended), 2);
    assert_true(db_int(ended, 0, 1, 0) >= one.expires);
    PQclear(ended);
    assert_false(lives(db, &one));
    /* nor does a token that was made for the lesser role open the greater one */
    refused(db, reset_password(db, token, "a new good one", org, who, &ended), "token: ");
    assert_null(ended);
    two = start(db, ALICE, id);
    assert_int_equal(users_change(db, ALICE, id, &same, ALL, &ended), DB_OK);
    assert_int_equal(PQntuples(ended), 0); /* nothing that claims hold */
    PQclear(ended);
    one = start(db, ALICE, id);
    assert_int_equal(reset_token_make(db, ALICE, id, ALL, token), DB_OK);
    assert_int_equal(users_set_password(db, ALICE, id, "a new good one", one.id, &ended), DB_OK);
    assert_int_equal(PQntuples(ended), 1);
    assert_string_equal(db_text(ended, 0, 0), two.id);
    PQclear(ended);
    assert_true(lives(db, &one));
    refused(db, reset_password(db, token, "yet a new good one", org, who, &ended), "token: ");
    assert_int_equal(reset_token_make(db, ALICE, id, ALL, token), DB_OK);
    assert_int_equal(reset_password(db, token, "yet a new good one", org, who, &ended), DB_OK);
    assert_int_equal(PQntuples(ended), 1);
    PQclear(ended);
    assert_false(lives(db, &one));
}

/* Whoever showed a password that was changed meanwhile gets no session. */
static void test_password_changed_meanwhile(void **state)
{
    char id[37];
    struct sign_in_found found;
    struct user_session session;
    struct db *db = *state;
    PGresult *ended;

    make(db, ALICE, "race@a.example", "staff", id);
    assert_int_equal(sign_in_check(db, "race@a.example", GOOD, NULL, &found), DB_OK);
    assert_int_equal(found.count, 1);
    const struct user_session_new from = {
        .org = ALICE, .user = id, .hash = found.at[0].hash, .address = "", .agent = ""};
    assert_int_equal(user_session_start(db, &config, &from, &session, &ended), DB_OK);
    PQclear(ended);
    assert_int_equal(users_set_password(db, ALICE, id, "a new good one", NULL, &ended), DB_OK);
    PQclear(ended);
    refused(db, user_session_start(db, &config, &from, &session, &ended), "there is no such");
}

/* Shorter lives, of a new configuration, do not shorten what is said of claims that nginx
 * still lets in. */
static void test_access_until(void **state)
{
    const struct config shorter = {
        .session_access_s = 60, .session_idle_s = 1800, .session_max_s = 43200};
    char id[37];
    struct user_session next;
    struct db *db = *state;
    PGresult *ended;
    bool alive;

    assert_int_equal(users_find(db, ALICE, "second@a.example", id), DB_OK);
    struct user_session first = start(db, ALICE, id);
    assert_int_equal(user_session_renew(db, &shorter, first.id, first.nonce, &alive, &next, &ended),
                     DB_OK);
    assert_true(alive);
    assert_true(next.expires >= first.expires);
    assert_int_equal(ended_by(db, ALICE, id, first.id), 1);
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
    PGresult *ended;
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
    assert_int_equal(team_remove(db, BOB, team, user, &found, &ended), DB_OK);
    assert_false(found);
    PQclear(ended);
    assert_true(lives(db, &session));
    assert_int_equal(team_remove(db, ALICE, team, user, &found, &ended), DB_OK);
    assert_true(found);
    assert_true(PQntuples(ended) >= 1);
    PQclear(ended);
    assert_false(lives(db, &session)); /* whose claims name it */
    assert_string_equal(start(db, ALICE, user).team, "");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_ended_with_it),
        cmocka_unit_test(test_password_changed_meanwhile),
        cmocka_unit_test(test_access_until),
        cmocka_unit_test(test_stolen_claims),
        cmocka_unit_test(test_team_of_session),
        cmocka_unit_test(test_acting),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
