#include "tenant/period.h"

#include "core/clock.h"
#include "tenant/day.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static void write_day(char out[11], int64_t day)
{
    time_t seconds = (time_t)(day * 86400);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(out, 11, "%Y-%m-%d", &tm);
}

static int64_t day_number(const char *text)
{
    struct tm tm = {.tm_year = (int)strtol(text, NULL, 10) - 1900,
                    .tm_mon = (int)strtol(text + 5, NULL, 10) - 1,
                    .tm_mday = (int)strtol(text + 8, NULL, 10)};

    return (int64_t)timegm(&tm) / 86400;
}

bool period_read(const char *from, const char *to, struct period *period, const char **field,
                 const char **detail)
{
    *detail = "a day such as 2026-11-21 would be right";
    *field = from != NULL && !day_valid(from) ? "from" : "to";
    if ((from != NULL && !day_valid(from)) || (to != NULL && !day_valid(to)))
        return false;
    int64_t last = to != NULL ? day_number(to) : clock_wall_ms() / 86400000;
    int64_t first = from != NULL ? day_number(from) : last - 29;
    *field = "from";
    *detail = "a day up to 365 days before \"to\" would be right";
    if (first > last || last - first >= PERIOD_DAYS_MAX)
        return false;
    write_day(period->from, first);
    write_day(period->to, last);
    return true;
}

void period_before(const struct period *period, struct period *before)
{
    int64_t first = day_number(period->from), days = day_number(period->to) - first + 1;

    write_day(before->from, first - days);
    write_day(before->to, first - 1);
}

void period_write(struct fd_json_writer *w, const char *key, const struct period *period)
{
    fd_jw_key(w, key);
    fd_jw_object(w);
    fd_jw_member(w, "from", period->from);
    fd_jw_member(w, "to", period->to);
    fd_jw_end_object(w);
}

void period_write_filter(struct fd_json_writer *w, const struct period *period, enum period_of of,
                         const char *const pairs[][2], size_t count)
{
    fd_jw_key(w, "filter");
    fd_jw_object(w);
    fd_jw_member(w, of == PERIOD_BEGAN ? "from" : "active_from", period->from);
    fd_jw_member(w, of == PERIOD_BEGAN ? "to" : "active_to", period->to);
    for (size_t i = 0; i < count; i++) {
        if (pairs[i][0] != NULL)
            fd_jw_member(w, pairs[i][0], pairs[i][1]);
    }
    fd_jw_end_object(w);
}
