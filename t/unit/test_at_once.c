/* Two at the same moment: the first has done it and not committed, the second begins. Whoever is
 * second waits, and is told of the first. ENG-14: chat/takeover.h, chat/store.h. ADM-1:
 * tenant/users.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chat/takeover.h"
#include "schema_fixture.h"
#include "tenant/users.h"

#include <pthread.h>
#include <stdatomic.h>

#define ORG          "5eed0000-0000-4000-8000-0000000000a1"
#define CONVERSATION "c0000000-0000-4000-8000-000000000001"
#define DANA         "key:d0000000-0000-4000-8000-00000000000d"
#define AVI          "key:a0000000-0000-4000-8000-00000000000a"
#define FIRST        "e0000000-0000-4000-8000-000000000001"
#define SECOND       "e0000000-0000-4000-8000-000000000002"
#define ALL          4
#define PATIENCE_MS  20000

static struct pg_fixture pg;
static struct db *first;

/* What the second does, on a thread and a connection of its own. */
struct second {
    void (*act)(struct second *me);
    pthread_t thread;
    atomic_bool over;
    struct db *db;
    struct arena arena;
    enum db_status status;
    struct takeover now;
    enum store_claim claim;
    bool refused;
};

static int set_up(void **state)
{
    (void)state;
    if (!schema_start(&pg))
        return -1;
    first = db_new(pg.app, "first");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(first);
    pg_end(&pg);
    return 0;
}

static int plant(void **state)
{
    (void)state;
    pg_do(&pg, "SET client_min_messages = warning; TRUNCATE organizations CASCADE;"
               "TRUNCATE messages;"
               "INSERT INTO organizations (id, name) VALUES ('" ORG "', 'Mine');"
               "INSERT INTO conversations (id, org_id, session_id)"
               " VALUES ('" CONVERSATION "', '" ORG "', 's');"
               "INSERT INTO jobs (id, org_id, session_id, conversation_id, epoch, owner, body,"
               "   accepted_at) VALUES ('0-a', '" ORG "', 's', '" CONVERSATION "', 1, 'w', '{}',"
               "   now());"
               "INSERT INTO users (id, org_id, email, role, password_hash)"
               " VALUES ('" FIRST "', '" ORG "', 'a@x.example', 'owner', 'x'),"
               "        ('" SECOND "', '" ORG "', 'b@x.example', 'owner', 'x')");
    return 0;
}

static void *run(void *arg)
{
    struct second *me = arg;

    me->act(me);
    atomic_store(&me->over, true);
    return NULL;
}

/* Returns when the second waits for the first, or is over without. */
static void begin(struct second *me, void (*act)(struct second *me))
{
    *me = (struct second){.act = act, .db = db_new(pg.app, "second")};
    arena_init(&me->arena);
    assert_int_equal(pthread_create(&me->thread, NULL, run, me), 0);
    for (int ms = 0; ms < PATIENCE_MS && !atomic_load(&me->over); ms += 5) {
        if (strcmp(pg_do(&pg, "SELECT count(*) FROM pg_locks WHERE NOT granted"), "0") != 0)
            return;
        usleep(5000);
    }
}

static void end(struct second *me)
{
    pthread_join(me->thread, NULL);
    db_free(me->db);
    assert_int_equal(me->status, DB_OK);
}

static struct takeover join(struct db *db, struct arena *a, const char *actor, const char *name,
                            int64_t version, enum db_status *status)
{
    const struct takeover_by by = {.org = ORG, .actor = actor, .name = name, .version = version};
    struct takeover now;
    struct news news;

    news_init(&news, a);
    *status = takeover_join(db, a, &by, CONVERSATION, &now, &news);
    return now;
}

/* Dana has joined; her transaction is open. */
static void dana_joins(struct arena *a, int64_t version)
{
    enum db_status status;

    arena_init(a);
    assert_int_equal(db_unit_begin(first, ORG), DB_OK);
    struct takeover now = join(first, a, DANA, "Dana", version, &status);
    assert_int_equal(status, DB_OK);
    assert_int_equal(now.verdict, TAKEOVER_DONE);
}

static void avi_joins(struct second *me)
{
    me->now = join(me->db, &me->arena, AVI, "Avi", TAKEOVER_ANY_VERSION, &me->status);
}

static void test_two_join(void **state)
{
    struct second avi;
    struct arena a;

    (void)state;
    dana_joins(&a, TAKEOVER_ANY_VERSION);
    begin(&avi, avi_joins);
    assert_int_equal(db_unit_commit(first), DB_OK);
    end(&avi);
    assert_int_equal(avi.now.verdict, TAKEOVER_HELD);
    assert_string_equal(avi.now.holder_name, "Dana");
    assert_string_equal(pg_do(&pg, "SELECT holder || ' ' || version FROM conversations"),
                        DANA " 1");
    arena_free(&avi.arena);
    arena_free(&a);
}

static void avi_replies(struct second *me)
{
    const struct takeover_by by = {
        .org = ORG, .actor = AVI, .name = "Avi", .version = TAKEOVER_ANY_VERSION};
    struct news news;

    news_init(&news, &me->arena);
    me->status =
        takeover_reply(me->db, &me->arena, &by, CONVERSATION, "Still me", NULL, &me->now, &news);
}

static void test_reply_to_what_is_taken(void **state)
{
    struct second avi;
    struct arena a;

    (void)state;
    pg_do(&pg, "UPDATE conversations SET status = 'human', holder = '" AVI "',"
               " holder_name = 'Avi', version = 1");
    dana_joins(&a, 1);
    begin(&avi, avi_replies);
    assert_int_equal(db_unit_commit(first), DB_OK);
    end(&avi);
    assert_int_equal(avi.now.verdict, TAKEOVER_HELD);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM messages"), "0");
    arena_free(&avi.arena);
    arena_free(&a);
}

static void model_answers(struct second *me)
{
    static struct chunk_set chunks;
    struct job_entry entry = {.id = "0-a", .org = ORG, .session = "s", .body = "{}", .body_len = 2};
    struct store_job row = {.entry = &entry,
                            .conversation_id = CONVERSATION,
                            .message_id = "c0000000-0000-4000-8000-00000000000a",
                            .epoch = 1,
                            .owner = "w",
                            .claimed = true};
    struct answer answer = {.end = ANSWER_DONE,
                            .session = "s",
                            .message_id = row.message_id,
                            .text = "Too late.",
                            .text_len = 9,
                            .chunks = &chunks};
    struct buf data;

    buf_init(&data, 65536);
    me->status = store_save(me->db, &row, &answer, &data, &me->claim);
    buf_free(&data);
}

static void test_answer_to_what_is_taken(void **state)
{
    struct second model;
    struct arena a;

    (void)state;
    dana_joins(&a, TAKEOVER_ANY_VERSION);
    begin(&model, model_answers);
    assert_int_equal(db_unit_commit(first), DB_OK);
    end(&model);
    assert_int_equal(model.claim, STORE_HUMAN);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM messages"), "0");
    arena_free(&model.arena);
    arena_free(&a);
}

static enum db_status demote(struct db *db, const char *user)
{
    const struct user_change change = {.role = "admin"};
    PGresult *ended;

    enum db_status status = users_change(db, ORG, user, &change, ALL, &ended);
    PQclear(ended);
    return status;
}

static void second_owner_goes(struct second *me)
{
    me->refused = demote(me->db, SECOND) == DB_FAILED;
}

static void test_two_last_owners(void **state)
{
    struct second other;

    (void)state;
    assert_int_equal(db_unit_begin(first, ORG), DB_OK);
    assert_int_equal(demote(first, FIRST), DB_OK);
    begin(&other, second_owner_goes);
    assert_int_equal(db_unit_commit(first), DB_OK);
    end(&other);
    assert_true(other.refused);
    assert_string_equal(pg_do(&pg, "SELECT string_agg(email, ' ') FROM users"
                                   " WHERE role = 'owner'"),
                        "b@x.example");
    arena_free(&other.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"ENG-14: of two who join one has it", test_two_join, plant, NULL, NULL},
        {"ENG-14: a reply to what another takes is not sent", test_reply_to_what_is_taken, plant,
         NULL, NULL},
        {"ENG-14: an answer to what a person takes is not kept", test_answer_to_what_is_taken,
         plant, NULL, NULL},
        {"ADM-1: of the last two owners one stays", test_two_last_owners, plant, NULL, NULL},
    };

    return cmocka_run_group_tests_name("at_once", tests, set_up, tear_down);
}
