/* tenant/opening.h, and opening_at() of migration 0016, which knows the time zones: ENG-14. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "db/migrate.h"
#include "pg_fixture.h"
#include "tenant/opening.h"

static struct pg_fixture pg;

/* "0 540 1080, ...": the week as it was understood; "?" = not at all. */
static const char *week_of(const char *hours)
{
    static char text[2048];
    struct opening week;
    text[0] = '\0';
    if (!opening_read(hours, &week))
        return "?";
    for (size_t i = 0; i < week.count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d %d %d", i > 0 ? ", " : "",
                 week.spans[i].day, week.spans[i].from, week.spans[i].to);
    return text;
}

static void test_hours_as_people_write_them(void **state)
{
    static const char *const same[][2] = {
        {"Sunday to Thursday 09:00-18:00, Friday 09:00-13:00, Saturday closed",
         "0 540 1080, 1 540 1080, 2 540 1080, 3 540 1080, 4 540 1080, 5 540 780"},
        {"sun 09:00-17:00, mon 09:00-17:00", "0 540 1020, 1 540 1020"},
        {"mon-wed 9am-1pm, 2:30pm-6pm", "1 540 780, 2 540 780, 3 540 780, 1 870 1080, 2 870 1080, "
                                        "3 870 1080"},
        {"Mon, Wed and Fri: 10:00\xe2\x80\x93"
         "11:00",
         "1 600 660, 3 600 660, 5 600 660"},
        {"fri to sun 08.30 to 12.00", "0 510 720, 5 510 720, 6 510 720"},
        {"weekdays 09:00-17:00; weekends closed",
         "1 540 1020, 2 540 1020, 3 540 1020, 4 540 1020, 5 540 1020"},
        {"Saturday 22:00-02:00", "6 1320 1560"},
        {"Tuesdays 00:00-24:00", "2 0 1440"},
        {"daily 09:00-18:00, Saturday closed",
         "0 540 1080, 1 540 1080, 2 540 1080, 3 540 1080, 4 540 1080, 5 540 1080"},
        {"Mon 9-17:00, Tue 8-13", "1 540 1020, 2 480 780"},
        {"Mon 9-5pm, Tue 1-5am", "1 540 1020, 2 60 300"},
        {"ימים ראשון עד שלישי 09:00-17:00, שבת סגור", "0 540 1020, 1 540 1020, 2 540 1020"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        assert_string_equal(week_of(same[i][0]), same[i][1]);
    assert_string_equal(week_of("24/7") + strlen("0 0 1440, 1 0 1440, 2 0 1440, "),
                        "3 0 1440, 4 0 1440, 5 0 1440, 6 0 1440");
}

/* A guess would be a promise. */
static void test_what_is_not_understood_says_nothing(void **state)
{
    static const char *const odd[] = {"",
                                      "closed",
                                      "by appointment",
                                      "09:00-17:00",
                                      "Mon-Fri",
                                      "Mon-Fri 9-5",
                                      "Mon-Fri 9am-5",
                                      "Mon-Fri 9:00-18:00, Fri 9:00-13:00",
                                      "Saturday closed, daily 09:00-18:00",
                                      "Saturday closed, 10:00-12:00",
                                      "Mon 09:00-12:00, closed",
                                      "daily 09:00-18:00, daily closed",
                                      "Mon-Fri 1-5pm",
                                      "Mon 8-10pm",
                                      "Mon 10-2am",
                                      "Mon 1-5",
                                      "Mon 9-12",
                                      "Mon 25:00-26:00",
                                      "Mon 09:60-10:00",
                                      "Mon 09:00-09:00",
                                      "Mon 13pm-2pm",
                                      "Mon 09:00",
                                      "Mon 09:00-17:00 except holidays",
                                      "Mon-Xyz 09:00-17:00",
                                      "Mon 99999999999999-1",
                                      "Mon 09:00-17:00 (phone only)",
                                      "Saturday closed"};

    (void)state;
    assert_string_equal(week_of(NULL), "?");
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        assert_string_equal(week_of(odd[i]), "?");
}

static void test_many(void **state)
{
    char text[4096] = "daily ";

    (void)state;
    for (int i = 0; i < 6; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "0%d:00-0%d:30, ", i, i);
    assert_string_not_equal(week_of(text), "?");
    strcat(text, "07:00-07:30");
    assert_string_equal(week_of(text), "?");
}

static const char *at(const char *zone, const char *hours, const char *moment)
{
    char sql[2048];
    struct opening week;
    struct buf json;
    assert_true(opening_read(hours, &week));
    buf_init(&json, 4096);
    assert_true(opening_json(&week, &json));
    snprintf(sql, sizeof(sql),
             "SELECT coalesce(is_open::text, '?') || ' ' || coalesce(to_char(opens_at AT TIME ZONE "
             "'UTC', 'MM-DD HH24:MI'), '-') FROM opening_at('%s', '%s', '%s')",
             zone, json.data, moment);
    buf_free(&json);
    return pg_do(&pg, sql);
}

static void test_open_and_closed(void **state)
{
    const char *demo = "Sunday to Thursday 09:00-18:00, Friday 09:00-13:00, Saturday closed";

    (void)state;
    /* 2026-11-18 is a Wednesday; Jerusalem is two hours ahead of UTC in winter */
    assert_string_equal(at("Asia/Jerusalem", demo, "2026-11-18 06:59:59+00"), "false 11-18 07:00");
    assert_string_equal(at("Asia/Jerusalem", demo, "2026-11-18 07:00:00+00"), "true -");
    assert_string_equal(at("Asia/Jerusalem", demo, "2026-11-18 15:59:59+00"), "true -");
    assert_string_equal(at("Asia/Jerusalem", demo, "2026-11-18 16:00:00+00"), "false 11-19 07:00");
    assert_string_equal(at("Asia/Jerusalem", demo, "2026-11-20 11:00:00+00"), "false 11-22 07:00");
    assert_string_equal(at("UTC", "Monday 10:00-11:00", "2026-11-16 11:00+00"),
                        "false 11-23 10:00");
    assert_string_equal(at("Mars/Phobos", demo, "2026-11-18 08:00+00"), "? -");
}

static void test_beyond_midnight(void **state)
{
    (void)state;
    assert_string_equal(at("UTC", "Saturday 22:00-02:00", "2026-11-21 23:00+00"), "true -");
    assert_string_equal(at("UTC", "Saturday 22:00-02:00", "2026-11-22 01:59+00"), "true -");
    assert_string_equal(at("UTC", "Saturday 22:00-02:00", "2026-11-22 02:00+00"),
                        "false 11-28 22:00");
}

/* Berlin: +1, from 2026-03-29 01:00 UTC +2, from 2026-10-25 01:00 UTC +1 again. */
static void test_summer_time(void **state)
{
    const char *zone = "Europe/Berlin";

    (void)state;
    assert_string_equal(at(zone, "daily 09:00-17:00", "2026-03-28 20:00+00"), "false 03-29 07:00");
    assert_string_equal(at(zone, "daily 09:00-17:00", "2026-03-27 20:00+00"), "false 03-28 08:00");
    assert_string_equal(at(zone, "daily 09:00-17:00", "2026-10-24 20:00+00"), "false 10-25 08:00");
    assert_string_equal(at(zone, "daily 09:00-17:00", "2026-10-23 20:00+00"), "false 10-24 07:00");
    /* the night that is an hour shorter: from ten to six is seven hours */
    assert_string_equal(at(zone, "Saturday 22:00-06:00", "2026-03-29 03:59+00"), "true -");
    assert_string_equal(at(zone, "Saturday 22:00-06:00", "2026-03-29 04:00+00"),
                        "false 04-04 20:00");
}

static int set_up(void **state)
{
    struct migration_list list;
    struct arena a;
    char error[256] = "";

    (void)state;
    if (!pg_start(&pg))
        return -1;
    arena_init(&a);
    struct db *db = db_new(pg.owner, "test_opening");
    bool ok = migrate_read(&a, "migrations", &list, error) &&
              migrate_compare(db, &a, &list) == DB_OK && migrate_up(db, &a, &list, NULL) == DB_OK;
    if (!ok)
        fprintf(stderr, "# %s %s\n", error, db_error(db));
    db_free(db);
    arena_free(&a);
    return ok ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    pg_end(&pg);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hours_as_people_write_them),
        cmocka_unit_test(test_what_is_not_understood_says_nothing),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_open_and_closed),
        cmocka_unit_test(test_beyond_midnight),
        cmocka_unit_test(test_summer_time),
    };
    return cmocka_run_group_tests_name("ENG-14: business hours", tests, set_up, tear_down);
}
