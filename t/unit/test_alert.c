/* ENG-16: tenant/alert.h and tenant/plan.h on a real PostgreSQL - what is told once, who
 * delivers it, and when it is given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/vault.h"
#include "schema_fixture.h"
#include "tenant/alert.h"
#include "tenant/alert_secret.h"
#include "tenant/plan.h"

#include <sodium.h>
#include <sys/stat.h>

#define ORG    "5eed0000-0000-4000-8000-0000000000a1"
#define OTHER  "5eed0000-0000-4000-8000-0000000000a2"
#define TODAY  "(now() AT TIME ZONE 'UTC')::date"
#define SECRET "a secret of 22 letters"

static struct pg_fixture pg;
static struct db *db, *second, *owner;
static char keys[96];

static int set_up(void **state)
{
    struct vault vault = {0};
    char error[256];

    (void)state;
    if (sodium_init() < 0 || !schema_start(&pg))
        return -1;
    owner = db_new(pg.owner, "test");
    db = db_new(pg.app, "test");
    second = db_new(pg.app, "another worker");
    snprintf(keys, sizeof(keys), "%s/keys", pg.dir);
    bool ok = vault_add_key(&vault) && vault_save(&vault, keys, true, error);
    vault_wipe(&vault);
    pg_do(&pg, "INSERT INTO organizations (id, name, plan_type) VALUES ('" ORG
               "', 'Shop', 'starter'), ('" OTHER "', 'Other', 'pro')");
    return ok ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(db);
    db_free(second);
    db_free(owner);
    pg_end(&pg);
    return 0;
}

static int afresh(void **state)
{
    (void)state;
    pg_do(&pg, "TRUNCATE api_usage, alerts, org_ai_settings; DELETE FROM jobs;"
               "UPDATE organizations SET limits = '{}'");
    return 0;
}

static void set(const char *org, struct budget_change change)
{
    change.vault_keys = keys;
    assert_int_equal(budget_set(db, org, &change), DB_OK);
}

static void spend(const char *org, const char *micro)
{
    char sql[512];
    snprintf(sql, sizeof(sql),
             "INSERT INTO api_usage (org_id, date, model_id, cost_estimate) VALUES ('%s', " TODAY
             ", 'm', %s) ON CONFLICT (org_id, date, model_id) DO UPDATE SET cost_estimate = %s",
             org, micro, micro);
    pg_do(&pg, sql);
}

static int64_t sweep(void)
{
    int64_t raised;
    assert_int_equal(alert_sweep(db, &raised), DB_OK);
    return raised;
}

static const char *raised(void)
{
    return pg_do(&pg, "SELECT coalesce(string_agg(kind || CASE subject WHEN '' THEN '' ELSE ' ' ||"
                      " subject END, ', ' ORDER BY kind, subject), '') FROM alerts"
                      " WHERE org_id = '" ORG "'");
}

static void test_budget_thresholds(void **state)
{
    (void)state;
    set(ORG, (struct budget_change){.monthly = "15"});
    spend(ORG, "400000"); /* $0.40 of $15 */
    assert_int_equal(sweep(), 0);
    spend(ORG, "11999999");
    assert_int_equal(sweep(), 0);
    spend(ORG, "12000000");
    assert_int_equal(sweep(), 1);
    assert_string_equal(raised(), "budget_80");
    assert_int_equal(sweep(), 0); /* once */
    spend(ORG, "14999999");
    assert_int_equal(sweep(), 0);
    spend(ORG, "15000000");
    assert_int_equal(sweep(), 1);
    assert_string_equal(raised(), "budget_100, budget_80");
    assert_string_equal(pg_do(&pg, "SELECT detail::text FROM alerts WHERE kind = 'budget_100'"),
                        "{\"used\": 15000000, \"allowed\": 15000000, \"percent\": 100}");
    /* a new month begins anew */
    pg_do(&pg, "UPDATE alerts SET month = (month - interval '1 month')::date");
    assert_int_equal(sweep(), 2);
}

static void test_quota_thresholds(void **state)
{
    (void)state;
    pg_do(&pg,
          "UPDATE organizations SET limits = '{\"messages_per_month\": 10}' WHERE id = '" ORG "'");
    pg_do(&pg, "INSERT INTO jobs (id, org_id, session_id, epoch, owner, body, accepted_at)"
               " SELECT 'a' || n, '" ORG "', 's', 1, 'w', '{}', CASE WHEN n > 7 THEN"
               " now() - interval '40 days' ELSE now() END FROM generate_series(1, 20) n");
    assert_int_equal(sweep(), 0);
    pg_do(&pg, "UPDATE jobs SET accepted_at = now() WHERE id = 'a8'");
    assert_int_equal(sweep(), 1);
    assert_string_equal(raised(), "quota_80");
    pg_do(&pg, "UPDATE jobs SET accepted_at = now()");
    assert_int_equal(sweep(), 1);
    assert_string_equal(raised(), "quota_100, quota_80");
}

/* No budget, one of nothing, another month's, another's: nobody is told. */
static void test_silence(void **state)
{
    (void)state;
    spend(ORG, "900000000");
    assert_int_equal(sweep(), 0);
    set(ORG, (struct budget_change){.monthly = "0"});
    assert_int_equal(sweep(), 0);
    set(ORG, (struct budget_change){.monthly = "none"});
    set(OTHER, (struct budget_change){.monthly = "1"});
    assert_int_equal(sweep(), 0);
    set(ORG, (struct budget_change){.monthly = "1"});
    pg_do(&pg, "UPDATE api_usage SET date = date - 40");
    assert_int_equal(sweep(), 0);
}

static void test_unknown_price(void **state)
{
    (void)state;
    pg_do(&pg, "INSERT INTO api_usage (org_id, date, model_id, unpriced_calls) VALUES"
               " ('" ORG "', " TODAY ", 'new/model', 3), ('" ORG "', " TODAY ", 'known', 0)");
    assert_int_equal(sweep(), 1);
    assert_string_equal(raised(), "price_unknown new/model");
}

/* -- delivering -------------------------------------------------------------------------------- */

static struct arena arena;

static size_t claim(struct db *with, struct alert **alerts)
{
    size_t count;
    assert_int_equal(alert_claim(with, &arena, 10, alerts, &count), DB_OK);
    return count;
}

static void three_alerts(const char *url)
{
    set(ORG, (struct budget_change){.monthly = "1", .webhook_url = url, .webhook_secret = SECRET});
    spend(ORG, "1000000");
    pg_do(&pg, "INSERT INTO api_usage (org_id, date, model_id, unpriced_calls) VALUES"
               " ('" ORG "', " TODAY ", 'x \"y\"', 1)");
    assert_int_equal(sweep(), 3);
}

static void test_one_worker_delivers(void **state)
{
    struct alert *mine, *theirs;
    int64_t pending;

    (void)state;
    arena_init(&arena);
    three_alerts("https://shop.example/alerts");
    assert_int_equal(alert_pending(db, &pending), DB_OK);
    assert_int_equal(pending, 3);
    assert_int_equal(claim(db, &mine), 3);
    assert_int_equal(claim(second, &theirs), 0);
    assert_string_equal(mine[0].url, "https://shop.example/alerts");
    for (int i = 0; i < 3; i++)
        assert_int_equal(alert_settle(db, &mine[i], NULL), DB_OK);
    assert_int_equal(alert_pending(db, &pending), DB_OK);
    assert_int_equal(pending, 0);
    pg_do(&pg, "UPDATE alerts SET next_attempt_at = now() - interval '1 day'");
    assert_int_equal(claim(second, &theirs), 0);
    assert_string_equal(pg_do(&pg, "SELECT count(*) FROM alerts WHERE delivery = 'delivered' AND"
                                   " delivered_at IS NOT NULL AND attempts = 1"),
                        "3");
    arena_free(&arena);
}

/* Two workers at the same moment, in open transactions: each its own. */
static void test_two_workers_share(void **state)
{
    (void)state;
    three_alerts("https://shop.example/alerts");
    PGconn *a = PQconnectdb(pg.app), *b = PQconnectdb(pg.app);
    const char *one = "BEGIN; SELECT id FROM platform_claim_alerts(2, 60, 3600)";
    PGresult *first = PQexec(a, one), *other = PQexec(b, one);
    assert_int_equal(PQntuples(first), 2);
    assert_int_equal(PQntuples(other), 1);
    for (int i = 0; i < 2; i++)
        assert_string_not_equal(PQgetvalue(first, i, 0), PQgetvalue(other, 0, 0));
    PQclear(first);
    PQclear(other);
    PQfinish(a);
    PQfinish(b);
}

/* A worker that died, or a receiver that is away: again, later each time, then never. */
static void test_tried_again(void **state)
{
    struct alert *alerts = NULL;
    char id[40];

    (void)state;
    arena_init(&arena);
    set(ORG, (struct budget_change){
                 .monthly = "1", .webhook_url = "http://h.example/", .webhook_secret = SECRET});
    spend(ORG, "800000");
    assert_int_equal(sweep(), 1);
    for (int attempt = 1; attempt <= ALERT_ATTEMPTS_MAX; attempt++) {
        assert_int_equal(claim(db, &alerts), 1);
        assert_int_equal(alerts[0].attempts, attempt);
        if (attempt == 1)
            snprintf(id, sizeof(id), "%s", alerts[0].id);
        assert_string_equal(alerts[0].id, id);
        if (attempt == 2)
            assert_string_equal(
                pg_do(&pg, "SELECT extract(epoch FROM next_attempt_at - now())::int BETWEEN 235"
                           " AND 241 FROM alerts"),
                "t");
        /* chat/alerts.c writes another text, once it is told so */
        assert_int_equal(alert_settle(db, &alerts[0], "\xff"), DB_FAILED);
        if (attempt != 3) /* the third time its worker dies */
            assert_int_equal(alert_settle(db, &alerts[0], "HTTP status 500"), DB_OK);
        pg_do(&pg, "UPDATE alerts SET next_attempt_at = now()");
    }
    assert_int_equal(claim(db, &alerts), 0);
    assert_string_equal(pg_do(&pg, "SELECT delivery || ' ' || last_error FROM alerts"),
                        "failed HTTP status 500");
    arena_free(&arena);
}

static void test_without_a_webhook(void **state)
{
    struct alert *alerts = NULL;

    (void)state;
    arena_init(&arena);
    set(ORG, (struct budget_change){.monthly = "1"});
    spend(ORG, "800000");
    assert_int_equal(sweep(), 1);
    assert_int_equal(claim(db, &alerts), 0);
    set(ORG, (struct budget_change){.webhook_url = "https://h.example/"});
    assert_int_equal(claim(db, &alerts), 0); /* not of the time before */
    spend(ORG, "1000000");
    assert_int_equal(sweep(), 1);
    set(ORG, (struct budget_change){.webhook_url = "none"});
    assert_int_equal(claim(db, &alerts), 0);
    assert_string_equal(pg_do(&pg, "SELECT string_agg(DISTINCT delivery, ',') FROM alerts"),
                        "none");
    arena_free(&arena);
}

static void test_body_and_list(void **state)
{
    struct alert *alerts = NULL;
    struct buf body, list;

    (void)state;
    arena_init(&arena);
    buf_init(&body, ALERT_BODY_MAX);
    buf_init(&list, 1u << 20);
    three_alerts("https://shop.example/alerts");
    assert_int_equal(claim(db, &alerts), 3);
    for (int i = 0; i < 3; i++) {
        buf_reset(&body);
        assert_true(alert_body(&alerts[i], &body));
        assert_non_null(strstr(body.data, "\"event\":\"alert\",\"kind\":\""));
        assert_non_null(strstr(body.data, alerts[i].id));
        assert_null(strstr(body.data, "secret"));
        if (strcmp(alerts[i].kind, "price_unknown") == 0)
            assert_non_null(strstr(body.data, "\"subject\":\"x \\\"y\\\"\""));
    }
    assert_int_equal(alert_list(db, ORG, &list), DB_OK);
    assert_non_null(strstr(list.data, "\"delivery\":\"pending\",\"attempts\":1"));
    buf_reset(&list);
    assert_int_equal(alert_list(db, OTHER, &list), DB_OK);
    assert_string_equal(list.data, "{\"alerts\":[]}");
    buf_free(&body);
    buf_free(&list);
    arena_free(&arena);
}

/* -- the secret -------------------------------------------------------------------------------- */

static const char *stored(void)
{
    return pg_do(&pg, "SELECT encode(alert_webhook_secret, 'hex') FROM org_ai_settings");
}

static void test_secret_is_sealed(void **state)
{
    struct budget_change change = {.webhook_url = "https://h.example/", .vault_keys = keys};
    char secret[ALERT_SECRET_SIZE], error[256];

    (void)state;
    assert_int_equal(budget_set(db, ORG, &change), DB_OK);
    assert_int_equal(strlen(change.made_secret), 64);
    assert_null(strstr(stored(), change.made_secret));
    assert_true(alert_secret_open(keys, ORG, stored(), secret, error));
    assert_string_equal(secret, change.made_secret);
    assert_false(alert_secret_open(keys, OTHER, stored(), secret, error));
    assert_false(alert_secret_open(keys, ORG, "00ff", secret, error));
    assert_false(alert_secret_open(keys, ORG, "zz", secret, error));
    assert_false(alert_secret_open(NULL, ORG, stored(), secret, error));

    set(ORG, (struct budget_change){.webhook_secret = SECRET});
    assert_true(alert_secret_open(keys, ORG, stored(), secret, error));
    assert_string_equal(secret, SECRET);

    change = (struct budget_change){.webhook_url = "https://h.example/"}; /* without keys */
    assert_int_equal(budget_set(db, ORG, &change), DB_FAILED);
    assert_non_null(strstr(db_error(db), "alert_webhook_secret: "));
}

static void test_bad_values(void **state)
{
    static const struct budget_change bad[] = {
        {.monthly = "-1"},
        {.monthly = "1e3"},
        {.monthly = "0.001"},
        {.monthly = ""},
        {.monthly = "1234567890"},
        {.session = "1."},
        {.session = "0.0000001"},
        {.user = "1000000"},
        {.user = "all"},
        {.allowed = "none"},
        {.allowed = "1,5"},
        {.webhook_url = "ftp://h/"},
        {.webhook_url = "https://h /"},
        {.webhook_url = "h"},
        {.webhook_secret = "short"},
    };
    static const struct plan_change bad_plans[] = {
        {.requests_per_minute = "0"}, {.requests_per_minute = "1 000"}, {.concurrent_chats = "-1"},
        {.messages_per_month = "x"},  {.monthly_budget = "1.234"},      {.at_limit = "slow"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct budget_change change = bad[i];
        change.vault_keys = keys;
        assert_int_equal(budget_set(db, ORG, &change), DB_FAILED);
        assert_true(strlen(db_error(db)) > 10);
    }
    for (size_t i = 0; i < sizeof(bad_plans) / sizeof(bad_plans[0]); i++) {
        assert_int_equal(plan_change(owner, "pro", &bad_plans[i]), DB_FAILED);
        assert_true(strlen(db_error(db)) > 10);
    }
    assert_int_equal(plan_change(owner, "gold", &(struct plan_change){.at_limit = "refuse"}),
                     DB_FAILED);
    assert_int_equal(plan_assign(db, ORG, "gold"), DB_FAILED);
    assert_string_equal(db_error(db), "there is no plan gold");
}

static void test_plans(void **state)
{
    struct plan plans[PLANS_MAX];
    size_t count;

    (void)state;
    assert_int_equal(plan_list(db, plans, &count), DB_OK);
    assert_int_equal(count, 3);
    assert_string_equal(plans[0].name, "free");
    assert_int_equal(plans[0].requests_per_minute, 20);
    assert_int_equal(plans[0].monthly_micro, 0);
    assert_false(plans[0].throttles);
    assert_int_equal(plans[1].monthly_micro, -1);
    assert_int_equal(plans[2].messages_per_month, 50000);
    assert_true(plans[2].throttles);
    assert_int_equal(plan_change(db, "pro", &(struct plan_change){.at_limit = "refuse"}),
                     DB_FAILED);

    struct plan_change change = {.monthly_budget = "12.50", .at_limit = "refuse"};
    assert_int_equal(plan_change(owner, "starter", &change), DB_OK);
    assert_int_equal(plan_list(db, plans, &count), DB_OK);
    assert_int_equal(plans[1].monthly_micro, 12500000);
    assert_int_equal(plans[1].requests_per_minute, 60); /* stays */
    assert_false(plans[1].throttles);
    change = (struct plan_change){.monthly_budget = "none", .at_limit = "throttle"};
    assert_int_equal(plan_change(owner, "starter", &change), DB_OK);
    assert_int_equal(plan_list(db, plans, &count), DB_OK);
    assert_int_equal(plans[1].monthly_micro, -1);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup(name, afresh)
    const struct CMUnitTest tests[] = {
        ROW(test_budget_thresholds), ROW(test_quota_thresholds),    ROW(test_silence),
        ROW(test_unknown_price),     ROW(test_one_worker_delivers), ROW(test_two_workers_share),
        ROW(test_tried_again),       ROW(test_without_a_webhook),   ROW(test_body_and_list),
        ROW(test_secret_is_sealed),  ROW(test_bad_values),          ROW(test_plans),
    };
    return cmocka_run_group_tests_name("alert", tests, set_up, tear_down);
}
