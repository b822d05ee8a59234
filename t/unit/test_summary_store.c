/* ENG-7: context/summary_store.h and chat/charge.h on a real PostgreSQL - one writer a step,
 * paid once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "budget_fixture.h"
#include "chat/charge.h"
#include "context/summary_store.h"

#define CONVERSATION "5eed0000-0000-4000-8000-0000000000c1"

static struct arena arena;

/* A conversation with this many messages, a minute apart. */
static void talk(int from, int to)
{
    char sql[1024];

    pg_do(&pg, "INSERT INTO conversations (id, org_id, session_id) VALUES ('" CONVERSATION
               "', '" ORG "', '" SESSION "') ON CONFLICT DO NOTHING");
    snprintf(sql, sizeof(sql),
             "INSERT INTO messages (id, org_id, conversation_id, role, content, created_at)"
             " SELECT md5(n::text)::uuid, '" ORG "', '" CONVERSATION "',"
             "        CASE WHEN n %% 2 = 1 THEN 'user' ELSE 'assistant' END, 'message ' || n,"
             "        timestamptz '2026-11-20' + n * interval '1 minute'"
             "   FROM generate_series(%d, %d) n",
             from, to);
    pg_do(&pg, sql);
}

static int start_over(void **state)
{
    afresh(state);
    pg_do(&pg, "DELETE FROM messages");
    arena_init(&arena);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static bool claim(const char *worker, struct summary_step *step)
{
    bool due = false;
    assert_int_equal(summary_claim(db, &arena, ORG, CONVERSATION, worker, step, &due), DB_OK);
    return due;
}

static int write_step(const char *worker, const struct summary_step *step, const char *text)
{
    int messages = -2;
    assert_int_equal(summary_write(db, ORG, CONVERSATION, worker, step, text, "m", &messages),
                     DB_OK);
    return messages;
}

static struct summary find(void)
{
    struct summary summary;
    assert_int_equal(summary_find(db, &arena, ORG, SESSION, &summary), DB_OK);
    return summary;
}

static void test_due_when_it_is_long(void **state)
{
    struct summary_step step;

    (void)state;
    talk(1, SUMMARY_FROM - 1);
    assert_false(claim("w", &step));
    assert_string_equal(find().text, "");
    talk(SUMMARY_FROM, SUMMARY_FROM);
    assert_true(claim("w", &step));
    assert_int_equal(step.count, SUMMARY_FROM - SUMMARY_KEEP);
    assert_int_equal(step.messages[0].role, LLM_USER);
    assert_string_equal(step.messages[0].text, "message 1");
    assert_string_equal(step.messages[step.count - 1].text, "message 8");
}

static void test_goes_on_where_it_stopped(void **state)
{
    struct summary_step step;

    (void)state;
    talk(1, 16);
    assert_true(claim("w", &step));
    assert_int_equal(write_step("w", &step, "eight messages"), 8);
    assert_string_equal(find().text, "eight messages");
    assert_int_equal(find().messages, 8);
    assert_false(claim("w", &step)); /* 8 are left */
    talk(17, 24);
    assert_true(claim("w", &step));
    assert_string_equal(step.before, "eight messages");
    assert_string_equal(step.messages[0].text, "message 9");
    assert_int_equal(step.count, 8);
    assert_int_equal(write_step("w", &step, "sixteen"), 16);
}

static void test_long_backlog_in_steps(void **state)
{
    struct summary_step step;

    (void)state;
    talk(1, 200);
    assert_true(claim("w", &step));
    assert_int_equal(step.count, SUMMARY_BATCH);
    assert_int_equal(write_step("w", &step, "sixty"), SUMMARY_BATCH);
    assert_true(claim("w", &step));
    assert_string_equal(step.messages[0].text, "message 61");
}

static void test_one_writer(void **state)
{
    struct summary_step mine, other;

    (void)state;
    talk(1, 16);
    assert_true(claim("one", &mine));
    assert_false(claim("two", &other));
    /* its owner is gone: the claim ends */
    pg_do(&pg, "UPDATE conversation_summaries SET claimed_until = now() - interval '1 second'");
    assert_true(claim("two", &other));
    assert_int_equal(write_step("one", &mine, "too late"), -1);
    assert_string_equal(find().text, "");
    assert_int_equal(write_step("two", &other, "mine"), 8);
    assert_int_equal(write_step("two", &other, "again"), 8); /* its reply was lost */
    assert_string_equal(find().text, "mine");
    assert_int_equal(write_step("one", &mine, "too late"), -1);
    assert_string_equal(find().text, "mine");
}

static void test_ends_with_its_conversation(void **state)
{
    struct summary_step step;

    (void)state;
    talk(1, 16);
    pg_do(&pg, "UPDATE conversations SET status = 'ended'");
    assert_false(claim("w", &step));
    pg_do(&pg, "UPDATE conversations SET status = 'active'");
    assert_true(claim("w", &step));
    pg_do(&pg, "DELETE FROM messages; DELETE FROM conversations");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM conversation_summaries"), "0");
}

static void test_belongs_to_its_org(void **state)
{
    struct summary_step step;
    struct summary summary;
    bool due = true;

    (void)state;
    talk(1, 16);
    assert_true(claim("w", &step));
    write_step("w", &step, "private");
    assert_int_equal(summary_find(db, &arena, OTHER, SESSION, &summary), DB_OK);
    assert_string_equal(summary.text, "");
    assert_int_equal(summary_claim(db, &arena, OTHER, CONVERSATION, "w", &step, &due), DB_OK);
    assert_false(due);
}

/* -- what it costs ------------------------------------------------------------------------ */

static struct answer_attempt attempt(void)
{
    return (struct answer_attempt){
        .provider = "openai",
        .model = MODEL,
        .usage = {.input = 100, .output = 20, .cache_read = 0, .cache_write = 0, .cost_micro = -1}};
}

static void test_paid_once(void **state)
{
    const struct charge charge = {
        .org = ORG, .id = "summary:x", .epoch = 1, .kind = "summary", .conversation_id = NULL};
    struct budget_ask budget = ask_of("summary:x");
    struct answer_attempt paid = attempt();

    (void)state;
    cap(ORG, "1", NULL, NULL);
    assert_verdict(budget, BUDGET_GRANTED);
    assert_string_equal(held(), "1064");
    assert_int_equal(charge_settle(db, &charge, &paid), DB_OK);
    assert_int_equal(charge_settle(db, &charge, &paid), DB_OK);
    assert_int_equal(paid.cost_micro, 300);
    assert_string_equal(held(), "0");
    assert_string_equal(pg_do(&pg, "SELECT count(*) || ' ' || sum(cost_micro) || ' ' || min(kind)"
                                   "  FROM usage_ledger"),
                        "1 300 summary");
    assert_string_equal(pg_do(&pg, "SELECT cost_estimate || ' ' || message_count || ' ' ||"
                                   "       tokens_input FROM api_usage"),
                        "300 0 100");
}

static void test_given_back(void **state)
{
    const struct charge charge = {.org = ORG, .id = "summary:x", .epoch = 1, .kind = "summary"};

    (void)state;
    cap(ORG, "1", NULL, NULL);
    assert_verdict(ask_of("summary:x"), BUDGET_GRANTED);
    assert_int_equal(charge_drop(db, &charge), DB_OK);
    assert_string_equal(held(), "0");
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM usage_ledger"), "0");
}

static void test_own_money_is_told_apart(void **state)
{
    const struct charge charge = {.org = ORG, .id = "embedding:x", .epoch = 1, .kind = "embedding"};
    struct answer_attempt paid = attempt();

    (void)state;
    paid.own_key = true;
    assert_int_equal(charge_settle(db, &charge, &paid), DB_OK);
    assert_string_equal(pg_do(&pg, "SELECT cost_estimate || ' ' || own_cost FROM api_usage"),
                        "300 300");
    assert_string_equal(pg_do(&pg, "SELECT own_key FROM usage_ledger"), "t");
}

#define T(name, function)                                                                          \
    {                                                                                              \
        name, function, start_over, clean_up, NULL                                                 \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T("ENG-7: a conversation is summarised once it is long", test_due_when_it_is_long),
        T("ENG-7: from where the summary stopped", test_goes_on_where_it_stopped),
        T("ENG-7: a long one in steps", test_long_backlog_in_steps),
        T("ENG-7: two workers never both write", test_one_writer),
        T("ENG-7: not of what was ended, and gone with its conversation",
          test_ends_with_its_conversation),
        T("ENG-7: another organisation sees none of it", test_belongs_to_its_org),
        T("ENG-7 ENG-16: a summary is paid once", test_paid_once),
        T("ENG-7 ENG-16: one that was not made gives back what it held", test_given_back),
        T("ENG-1 ENG-16: what an own key paid is told apart", test_own_money_is_told_apart),
    };

    return cmocka_run_group_tests_name("summary_store", tests, set_up, tear_down);
}
