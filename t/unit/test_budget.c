/* ENG-16: chat/budget.h on a real PostgreSQL - what is reserved, refused, settled and
 * given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "budget_fixture.h"
#include "tenant/tenant.h"

/* -- what is reserved ---------------------------------------------------------------------- */

static void test_worst_case(void **state)
{
    static const struct price plain = {1000000, 10000000, -1, -1};
    static const struct price dear_writes = {1000000, 10000000, 100000, 1250000};
    static const struct price absurd = {INT64_MAX, INT64_MAX, -1, -1};

    (void)state;
    assert_int_equal(price_worst(&plain, 1000, 100), 2000);
    assert_int_equal(price_worst(&dear_writes, 1000, 100), 2250);
    assert_int_equal(price_worst(&plain, 0, 0), 0);
    assert_int_equal(price_worst(NULL, 1, 1), -1);
    assert_int_equal(price_worst(&absurd, INT64_MAX, INT32_MAX), INT64_MAX);
    assert_true(budget_prompt_tokens(4000) >= 5000);
    assert_true(price_is_due("openai") && price_is_due("openrouter"));
    assert_false(price_is_due("ollama") || price_is_due("builtin"));
}

static void test_without_a_cap(void **state)
{
    (void)state;
    struct budget_word word = reserve(ask_of("j1"));
    assert_int_equal(word.verdict, BUDGET_GRANTED);
    assert_int_equal(word.used_percent, -1);
}

static void test_refused_when_full(void **state)
{
    struct budget_word word;

    (void)state;
    cap(ORG, "0.01", NULL, NULL); /* 10,000 micro-dollars: nine answers */
    for (int i = 0; i < 9; i++) {
        char job[16];
        snprintf(job, sizeof(job), "j%d", i);
        assert_verdict(ask_of(job), BUDGET_GRANTED);
    }
    word = reserve(ask_of("j9"));
    assert_int_equal(word.verdict, BUDGET_ORG);
    assert_int_equal(word.amount_micro, WORST);
    assert_int_equal(word.held_micro, 9 * WORST);
    assert_int_equal(word.spent_micro, 0);
    /* only held, not spent: nobody is alarmed */
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM alerts"), "0");

    ended("j0", ANSWER_DONE, 30); /* 300 of the 1,064 */
    assert_string_equal(pg_do(&pg, "SELECT cost_micro FROM usage_ledger"), "300");
    word = reserve(ask_of("j9"));
    assert_int_equal(word.verdict, BUDGET_GRANTED);
    assert_int_equal(word.spent_micro, 300);
    assert_int_equal(word.used_percent, 3);
    assert_verdict(ask_of("j10"), BUDGET_ORG);
}

/* A call that failed, was cancelled or never made gives all of it back. */
static void test_refunds(void **state)
{
    (void)state;
    cap(ORG, "1", NULL, NULL);
    assert_verdict(ask_of("j1"), BUDGET_GRANTED);
    assert_verdict(ask_of("j2"), BUDGET_GRANTED);
    assert_verdict(ask_of("j3"), BUDGET_GRANTED);
    ended("j1", ANSWER_FAILED, -1);
    ended("j2", ANSWER_CANCELLED, -1);
    ended("j3", ANSWER_DEAD, -1);
    assert_string_equal(held(), "0");
    assert_string_equal(pg_do(&pg, "SELECT coalesce(sum(cost_estimate), 0) FROM api_usage"), "0");
    /* cancelled in the middle of the answer: what was generated is paid */
    assert_verdict(ask_of("j4"), BUDGET_GRANTED);
    ended("j4", ANSWER_CANCELLED, 7);
    assert_string_equal(held(), "0");
    assert_string_equal(pg_do(&pg, "SELECT sum(cost_estimate) FROM api_usage"), "70");
}

/* The next call of a job whose calls cost already: all of them in one reservation. */
static void test_calls_before_it_count(void **state)
{
    struct budget_ask ask = ask_of("j1");

    (void)state;
    cap(ORG, "0.01", NULL, NULL);
    assert_verdict(ask, BUDGET_GRANTED);
    ask.before[0] = (struct answer_attempt){
        .provider = "openai", .model = MODEL, .usage = {.output = 90, .cost_micro = -1}};
    ask.before_count = 1;
    assert_int_equal(reserve(ask).amount_micro, WORST + 900);
    assert_string_equal(held(), "1964");
    ask.before[0].usage.cost_micro = 20000; /* the provider's own figure wins */
    assert_verdict(ask, BUDGET_ORG);
}

static void test_take_over(void **state)
{
    struct budget_ask first = ask_of("j1"), second = ask_of("j1");

    (void)state;
    cap(ORG, "1", NULL, NULL);
    second.epoch = 2;
    second.owner = "other t";
    assert_verdict(first, BUDGET_GRANTED);
    assert_verdict(first, BUDGET_GRANTED); /* the reply was lost */
    assert_string_equal(held(), "1064");
    second.max_tokens = 2 * MAX_TOKENS;
    assert_verdict(second, BUDGET_GRANTED);
    assert_string_equal(held(), "2064");
    assert_verdict(first, BUDGET_LATER); /* a zombie neither lowers nor renews it */
    assert_string_equal(held(), "2064");
}

static void test_a_crash_heals(void **state)
{
    (void)state;
    cap(ORG, "0.01", NULL, NULL);
    struct budget_ask ask = ask_of("j1");
    ask.max_tokens = 900;
    assert_verdict(ask, BUDGET_GRANTED);
    assert_verdict(ask_of("j2"), BUDGET_ORG);
    assert_string_equal(
        pg_do(&pg, "SELECT expires_at > now() + interval '355 seconds' AND expires_at < now()"
                   " + interval '365 seconds' FROM budget_reservations"),
        "t");
    pg_do(&pg, "UPDATE budget_reservations SET expires_at = now() - interval '1 second'");
    assert_verdict(ask_of("j2"), BUDGET_GRANTED);
    assert_string_equal(held(), "1064"); /* the dead one's is gone */
}

/* -- which caps ------------------------------------------------------------------------------ */

static void test_nothing_may_be_spent(void **state)
{
    struct budget_ask free_one = ask_of("j2");

    (void)state;
    pg_do(&pg, "UPDATE organizations SET plan_type = 'free' WHERE id = '" ORG "'");
    struct budget_word word = reserve(ask_of("j1"));
    assert_int_equal(word.verdict, BUDGET_ORG);
    assert_int_equal(word.used_percent, 100);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM alerts"), "0");
    free_one.provider = "ollama";
    free_one.model = "llama";
    assert_verdict(free_one, BUDGET_GRANTED);
    assert_string_equal(held(), "0");
}

static void test_unknown_price_fails_closed(void **state)
{
    struct budget_ask ask = ask_of("j1");

    (void)state;
    cap(ORG, "1000", NULL, NULL);
    ask.model = "nobody knows";
    assert_verdict(ask, BUDGET_NO_PRICE);
    assert_verdict(ask, BUDGET_NO_PRICE);
    assert_string_equal(pg_do(&pg, "SELECT string_agg(kind || ' ' || subject, ',') FROM alerts"),
                        "price_unknown nobody knows");
    assert_string_equal(held(), "0");
    pg_do(&pg, "INSERT INTO model_catalog (model_id, provider, name) VALUES ('half', 'openai', 'H')"
               " ON CONFLICT DO NOTHING;"
               "INSERT INTO model_prices VALUES ('half', '2020-01-01', 5, NULL, NULL, NULL)"
               " ON CONFLICT DO NOTHING");
    ask.model = "half";
    assert_verdict(ask, BUDGET_NO_PRICE);
}

/* The organisation's own budget cannot be above what its plan allows, or the operator. */
static void test_whose_budget_holds(void **state)
{
    static const struct {
        const char *plan, *own, *allowed;
        int64_t holds;
    } cases[] = {{"starter", NULL, NULL, -1},     {"starter", "25", NULL, 25000000},
                 {"free", NULL, NULL, 0},         {"free", "25", NULL, 0},
                 {"free", "25", "10", 10000000},  {"free", "7.50", "10", 7500000},
                 {"starter", NULL, "3", 3000000}, {"starter", "none", NULL, -1},
                 {"starter", "0.01", "5", 10000}};
    struct budget_view view;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        afresh(NULL);
        assert_int_equal(plan_assign(db, ORG, cases[i].plan), DB_OK);
        struct budget_change change = {.monthly = cases[i].own, .allowed = cases[i].allowed};
        assert_int_equal(budget_set(db, ORG, &change), DB_OK);
        assert_int_equal(budget_show(db, ORG, &view), DB_OK);
        assert_int_equal(view.monthly_micro, cases[i].holds);
        budget_view_free(&view);
    }
}

static void test_session_cap(void **state)
{
    struct budget_ask ask = ask_of("j2");
    char conversation[STORE_UUID_SIZE];

    (void)state;
    store_uuid(conversation, "conversation", ORG, SESSION);
    ask.conversation_id = conversation;
    cap(ORG, NULL, "0.002", NULL);
    assert_verdict(ask_of("j1"), BUDGET_GRANTED);
    ended("j1", ANSWER_DONE, 95); /* 950 */
    assert_verdict(ask, BUDGET_SESSION);
    ask.max_tokens = 98;
    assert_verdict(ask, BUDGET_GRANTED); /* 950 + 1,044 */
    ask.job = "j3";
    ask.session = "another";
    ask.conversation_id = "00000000-0000-4000-8000-000000000009";
    assert_verdict(ask, BUDGET_GRANTED);
}

static void test_user_cap(void **state)
{
    struct budget_ask ask = ask_of("j2");

    (void)state;
    cap(ORG, NULL, NULL, "0.002");
    assert_int_equal(end_job(db, "j1", "sessionsessionsessionsessionsess", "u", ANSWER_DONE, 95),
                     DB_OK);
    ask.user = "u";
    assert_verdict(ask, BUDGET_USER);
    ask.user = "v";
    assert_verdict(ask, BUDGET_GRANTED);
    ask.job = "j3"; /* what v's other answer holds counts */
    assert_verdict(ask, BUDGET_USER);
    ask.user = NULL; /* nobody said who it is */
    assert_verdict(ask, BUDGET_GRANTED);
    pg_do(&pg, "UPDATE usage_ledger SET created_at = now() - interval '40 days'");
    ask.job = "j4";
    ask.user = "u";
    assert_verdict(ask, BUDGET_GRANTED); /* a month is over */
}

/* Whoever says last who he is does not take over what the conversation cost others. */
static void test_spend_stays_with_its_visitor(void **state)
{
    struct budget_ask ask = ask_of("j3");

    (void)state;
    cap(ORG, NULL, NULL, "0.002");
    assert_int_equal(end_job(db, "j1", SESSION, "u", ANSWER_DONE, 95), DB_OK);
    assert_int_equal(end_job(db, "j2", SESSION, "v", ANSWER_DONE, 1), DB_OK);
    assert_int_equal(end_job(db, "j4", SESSION, NULL, ANSWER_DONE, 50), DB_OK);
    ask.user = "u";
    assert_verdict(ask, BUDGET_USER); /* 950 + 1,064 */
    ask.user = "v";
    assert_verdict(ask, BUDGET_GRANTED); /* 10 + 1,064 */
    assert_string_equal(pg_do(&pg,
                              "SELECT string_agg(coalesce(user_ref, '-') || ' ' || cost_micro, ', '"
                              " ORDER BY job_id) FROM usage_ledger"),
                        "u 950, v 10, - 500");
}

static void test_others_do_not_count(void **state)
{
    struct budget_ask ask = ask_of("j1");

    (void)state;
    cap(ORG, "0.01", NULL, NULL);
    cap(OTHER, "100", NULL, NULL);
    pg_do(&pg, "INSERT INTO api_usage (org_id, date, model_id, cost_estimate) VALUES ('" OTHER
               "', now(), 'm', 50000000), ('" ORG "', now() - interval '40 days', 'm', 9000000)");
    ask.org = OTHER;
    ask.max_tokens = 100000;
    assert_verdict(ask, BUDGET_GRANTED);
    assert_verdict(ask_of("j2"), BUDGET_GRANTED);
}

static void test_alert_when_spent(void **state)
{
    (void)state;
    cap(ORG, "0.01", NULL, NULL);
    pg_do(&pg, "INSERT INTO api_usage (org_id, date, model_id, cost_estimate) VALUES ('" ORG
               "', (now() AT TIME ZONE 'UTC')::date, 'm', 9900)");
    struct budget_word word = reserve(ask_of("j1"));
    assert_int_equal(word.verdict, BUDGET_ORG);
    assert_int_equal(word.used_percent, 99); /* rounded down: it is not used up */
    assert_string_equal(pg_do(&pg, "SELECT string_agg(kind, ',') FROM alerts"), "budget_100");
}

/* What the router goes by, without asking again. */
static void test_tenant_knows(void **state)
{
    static const struct config config = {0};
    struct tenant *tenant;

    (void)state;
    assert_int_equal(tenant_load(db, &config, ORG, &tenant), DB_OK);
    assert_false(tenant->capped);
    assert_int_equal(tenant->budget_used_percent, -1);
    tenant_unref(tenant);

    cap(ORG, "0.01", NULL, NULL);
    pg_do(&pg, "INSERT INTO api_usage (org_id, date, model_id, cost_estimate) VALUES ('" ORG
               "', (now() AT TIME ZONE 'UTC')::date, 'm', 8999)");
    assert_int_equal(tenant_load(db, &config, ORG, &tenant), DB_OK);
    assert_true(tenant->capped);
    assert_int_equal(tenant->budget_used_percent, 89);
    tenant_unref(tenant);

    cap(ORG, "none", "1", NULL);
    assert_int_equal(tenant_load(db, &config, ORG, &tenant), DB_OK);
    assert_true(tenant->capped);
    assert_int_equal(tenant->budget_used_percent, -1);
    tenant_unref(tenant);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup(name, afresh)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worst_case),
        ROW(test_without_a_cap),
        ROW(test_refused_when_full),
        ROW(test_refunds),
        ROW(test_calls_before_it_count),
        ROW(test_take_over),
        ROW(test_a_crash_heals),
        ROW(test_nothing_may_be_spent),
        ROW(test_unknown_price_fails_closed),
        ROW(test_whose_budget_holds),
        ROW(test_session_cap),
        ROW(test_user_cap),
        ROW(test_spend_stays_with_its_visitor),
        ROW(test_others_do_not_count),
        ROW(test_alert_when_spent),
        ROW(test_tenant_knows),
    };
    return cmocka_run_group_tests_name("budget", tests, set_up, tear_down);
}
