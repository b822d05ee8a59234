/* ENG-16: tenant/usage.h, money.h and csv.h - what a month is charged, to the
 * micro-dollar, and files that a spreadsheet opens safely. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema_fixture.h"
#include "tenant/csv.h"
#include "tenant/money.h"
#include "tenant/usage.h"

#define ORG   "5eed0000-0000-4000-8000-0000000000a1"
#define OTHER "5eed0000-0000-4000-8000-0000000000a2"

static struct pg_fixture pg;
static struct db *db;
static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    if (!schema_start(&pg))
        return -1;
    db = db_new(pg.app, "test");
    pg_do(&pg,
          "INSERT INTO organizations (id, name) VALUES ('" ORG "', '=cmd(\"x\"), Inc'), ('" OTHER
          "', 'Other');"
          "INSERT INTO model_catalog (model_id, provider, name) VALUES ('a/fast', 'p',"
          " 'Fast, \"small\"');"
          "INSERT INTO api_usage (org_id, date, model_id, conversation_count, message_count,"
          " tokens_input, tokens_output, tool_calls_count, cost_estimate, unpriced_calls) VALUES"
          " ('" ORG "', '2024-09-30', 'a/fast', 9, 9, 9, 9, 9, 999, 0),"
          " ('" ORG "', '2024-10-01', 'a/fast', 1, 2, 100, 10, 0, 1000001, 0),"
          " ('" ORG "', '2024-10-01', 'b/deep', 0, 1, 50, 5, 1, 333, 0),"
          " ('" ORG "', '2024-10-31', 'a/fast', 2, 3, 200, 20, 0, 500000, 0),"
          " ('" ORG "', '2024-10-31', 'new', 0, 1, 7, 7, 0, 0, 1),"
          " ('" ORG "', '2024-11-01', 'a/fast', 9, 9, 9, 9, 9, 999, 0),"
          " ('" OTHER "', '2024-10-05', 'a/fast', 7, 7, 7, 7, 7, 777, 0)");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(db);
    arena_free(&arena);
    pg_end(&pg);
    return 0;
}

static int no_rates(void **state)
{
    (void)state;
    pg_do(&pg, "TRUNCATE rate_card");
    return 0;
}

static struct usage invoice(const char *month)
{
    struct usage usage;
    assert_int_equal(usage_invoice(db, &arena, ORG, month, &usage), DB_OK);
    return usage;
}

static void rate(const char *org, const char *model, const char *markup, const char *from)
{
    struct usage_rate r = {.org = org, .model = model, .markup_percent = markup, .from = from};
    if (usage_rate_set(db, &r) != DB_OK)
        fail_msg("%s", db_error(db));
}

static void test_report(void **state)
{
    struct usage usage;

    (void)state;
    assert_int_equal(usage_report(db, &arena, ORG, "2024-10", &usage), DB_OK);
    assert_int_equal(usage.count, 4);
    assert_string_equal(usage.lines[0].date, "2024-10-01");
    assert_string_equal(usage.lines[0].model, "a/fast");
    assert_string_equal(usage.lines[0].name, "Fast, \"small\"");
    assert_string_equal(usage.lines[1].name, "b/deep");
    assert_int_equal(usage.total.messages, 7);
    assert_int_equal(usage.total.tokens_input, 357);
    assert_int_equal(usage.total.cost_micro, 1500334);
    assert_int_equal(usage.total.unpriced_calls, 1);
    assert_false(usage.open);
    assert_int_equal(usage_report(db, &arena, ORG, NULL, &usage), DB_OK);
    assert_true(usage.open);
    assert_int_equal(usage_report(db, &arena, ORG, "2024-12", &usage), DB_OK);
    assert_int_equal(usage.count, 0);
}

static void test_months(void **state)
{
    static const char *const bad[] = {"2024-13", "2024-00", "2024-1",   "26-10-1",    "2024/10",
                                      "2024-1x", "1999-12", "        ", "2024-10-01", ""};
    struct usage usage;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(usage_month_valid(bad[i]));
        assert_int_equal(usage_invoice(db, &arena, ORG, bad[i], &usage), DB_FAILED);
    }
    assert_true(usage_month_valid("2024-10") && usage_month_valid("2000-01"));
    assert_int_equal(
        usage_invoice(db, &arena, "5eed0000-0000-4000-8000-0000000000ff", "2024-10", &usage),
        DB_FAILED);
}

static void test_without_a_rate(void **state)
{
    (void)state;
    struct usage usage = invoice("2024-10");
    assert_int_equal(usage.count, 3);
    assert_int_equal(usage.lines[0].cost_micro, 1500001);
    assert_int_equal(usage.lines[0].charge_micro, 1500001);
    assert_int_equal(usage.total.charge_micro, 1500334);
}

/* The organisation's own, its own for every model, the platform's, the platform's for all. */
static void test_whose_rate(void **state)
{
    (void)state;
    rate(NULL, "*", "10", "2024-01-01");
    assert_int_equal(invoice("2024-10").lines[0].charge_micro, 1650001); /* .1 down */
    assert_int_equal(invoice("2024-10").lines[1].charge_micro, 366);     /* 366.3 */
    rate(NULL, "a/fast", "20", "2024-01-01");
    assert_int_equal(invoice("2024-10").lines[0].charge_micro, 1800001);
    assert_int_equal(invoice("2024-10").lines[1].charge_micro, 366);
    rate(ORG, "*", "50", "2024-01-01");
    assert_int_equal(invoice("2024-10").lines[0].charge_micro, 2250002); /* 2250001.5 up */
    assert_int_equal(invoice("2024-10").lines[1].charge_micro, 500);     /* 499.5 up */
    rate(ORG, "a/fast", "-100", "2024-01-01");
    assert_int_equal(invoice("2024-10").lines[0].charge_micro, 0);
    rate(OTHER, "a/fast", "900", "2024-10-01");
    assert_int_equal(invoice("2024-10").lines[0].charge_micro, 0);
    rate(ORG, "a/fast", "12.25", "2024-01-01"); /* said again: changed */
    assert_string_equal(invoice("2024-10").lines[0].markup_percent, "12.25");
}

/* A new rate leaves what was before it as it was. */
static void test_rate_from_a_day_on(void **state)
{
    (void)state;
    rate(ORG, "a/fast", "100", "2024-10-15");
    struct usage usage = invoice("2024-10");
    assert_int_equal(usage.count, 4);
    assert_int_equal(usage.lines[0].charge_micro, 1000001);
    assert_int_equal(usage.lines[1].charge_micro, 1000000);
    assert_int_equal(invoice("2024-09").lines[0].charge_micro, 999);
    rate(ORG, "a/fast", "300", NULL); /* from today */
    assert_int_equal(invoice("2024-10").total.charge_micro, 2000334);
}

static void test_bad_rates(void **state)
{
    static const struct usage_rate bad[] = {
        {.model = "m", .markup_percent = "ten"},
        {.model = "m", .markup_percent = "-101"},
        {.model = "m", .markup_percent = "10001"},
        {.model = "m", .markup_percent = "1.234"},
        {.model = "m", .markup_percent = "nan"},
        {.model = "m", .markup_percent = ""},
        {.model = "", .markup_percent = "1"},
        {.model = "m", .markup_percent = "1", .from = "2024-10"},
        {.model = "m", .markup_percent = "1", .from = "2024-10-00"},
        {.model = "m", .markup_percent = "1", .from = "tomorrow.."},
        {.model = "m", .markup_percent = "1", .from = "2024-02-31"},
    };
    PGresult *rates;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(usage_rate_set(db, &bad[i]), DB_FAILED);
        assert_true(strlen(db_error(db)) > 5);
    }
    rate(ORG, "m", "1", NULL);
    rate(NULL, "m", "2", NULL);
    rate(OTHER, "m", "3", NULL);
    assert_int_equal(usage_rates(db, ORG, &rates), DB_OK);
    assert_int_equal(PQntuples(rates), 2);
    PQclear(rates);
    assert_int_equal(usage_rates(db, NULL, &rates), DB_OK);
    assert_int_equal(PQntuples(rates), 1);
    PQclear(rates);
}

static void test_export(void **state)
{
    struct buf out;

    (void)state;
    rate(NULL, "*", "12.5", "2024-01-01");
    struct usage usage = invoice("2024-10");
    buf_init(&out, USAGE_EXPORT_MAX);
    assert_true(usage_csv(&usage, &out));
    assert_string_equal(
        out.data,
        "month,organization,model_id,model,conversations,messages,tokens_input,tokens_output,"
        "tool_calls,unpriced_calls,cost_usd,markup_percent,charge_usd\r\n"
        "2024-10,\"'=cmd(\"\"x\"\"), Inc\",a/fast,\"Fast, \"\"small\"\"\",3,5,300,30,0,0,"
        "1.500001,12.50,1.687501\r\n"
        "2024-10,\"'=cmd(\"\"x\"\"), Inc\",b/deep,b/deep,0,1,50,5,1,0,0.000333,12.50,0.000375\r\n"
        "2024-10,\"'=cmd(\"\"x\"\"), Inc\",new,new,0,1,7,7,0,1,0.00,12.50,0.00\r\n"
        "2024-10,\"'=cmd(\"\"x\"\"), Inc\",total,,3,7,357,42,1,1,1.500334,,1.687876\r\n");
    buf_reset(&out);
    assert_true(usage_json(&usage, &out));
    assert_non_null(strstr(out.data, "\"month\":\"2024-10\",\"currency\":\"USD\",\"open\":false"));
    assert_non_null(strstr(out.data, "\"charge_micro\":1687876"));
    buf_free(&out);
}

static void test_csv_is_safe(void **state)
{
    static const struct {
        const char *text, *field;
    } cases[] = {{"plain", "plain"},
                 {"", ""},
                 {"a b", "a b"},
                 {"=1+1", "\"'=1+1\""},
                 {"+1", "\"'+1\""},
                 {"-1", "\"'-1\""},
                 {"@x", "\"'@x\""},
                 {"\t=x", "\"'\t=x\""},
                 {" =x", "\"' =x\""},
                 {"\rx", "\"'\rx\""},
                 {"\nx", "\"'\nx\""},
                 {"a=b", "a=b"},
                 {"a,b", "\"a,b\""},
                 {"a\"b", "\"a\"\"b\""},
                 {"a\r\nb", "\"a\r\nb\""},
                 {"\"", "\"\"\"\""},
                 {"שלום, עולם", "\"שלום, עולם\""}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out;
        char want[64];
        buf_init(&out, 1024);
        struct csv csv = {.out = &out};
        csv_text(&csv, cases[i].text);
        csv_int(&csv, -5);
        csv_text(&csv, NULL);
        csv_end_row(&csv);
        snprintf(want, sizeof(want), "%s,-5,\r\n", cases[i].field);
        assert_string_equal(out.data, want);
        buf_free(&out);
    }
}

static void test_money(void **state)
{
    static const char *const bad[] = {"",          ".",          ".5",    "1.",  "-1",
                                      "+1",        " 1",         "1 ",    "1e3", "0x1",
                                      "1.2345678", "1234567890", "1.2.3", "1,5", "nan"};
    static const struct {
        const char *text;
        int64_t micro;
        const char *back;
    } good[] = {{"0", 0, "0.00"},
                {"12.5", 12500000, "12.50"},
                {"0.000001", 1, "0.000001"},
                {"007", 7000000, "7.00"},
                {"999999999.999999", INT64_C(999999999999999), "999999999.999999"},
                {"1.100000", 1100000, "1.10"}};
    char text[MONEY_SIZE];
    int64_t micro;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(money_read(bad[i], &micro));
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(money_read(good[i].text, &micro));
        assert_int_equal(micro, good[i].micro);
        assert_string_equal(money_text(text, micro), good[i].back);
    }
    assert_string_equal(money_text(text, -1500000), "-1.50");
    assert_string_equal(money_text(text, INT64_MIN), "-9223372036854.775808");
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup(name, no_rates)
    const struct CMUnitTest tests[] = {
        ROW(test_report),
        ROW(test_months),
        ROW(test_without_a_rate),
        ROW(test_whose_rate),
        ROW(test_rate_from_a_day_on),
        ROW(test_bad_rates),
        ROW(test_export),
        ROW(test_csv_is_safe),
        ROW(test_money),
    };
    return cmocka_run_group_tests_name("usage", tests, set_up, tear_down);
}
