#include "llm/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DAY_MS 86400000.0

static int month_of(const char *name)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *at = strlen(name) == 3 ? strstr(months, name) : NULL;
    return at != NULL && (at - months) % 3 == 0 ? (int)((at - months) / 3) : -1;
}

/* The three forms of RFC 9110 section 5.6.7; not strptime(), which asks the locale. */
static bool parse_http_date(const char *text, int64_t *unix_s)
{
    struct tm tm = {0};
    char month[4] = "";
    int year = 0;
    if (sscanf(text, "%*3[A-Za-z], %2d %3s %4d %2d:%2d:%2d GMT", &tm.tm_mday, month, &year,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6 &&
        sscanf(text, "%*3[A-Za-z] %3s %2d %2d:%2d:%2d %4d", month, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &year) != 6) {
        if (sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT", &tm.tm_mday, month,
                   &year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6) {
            return false;
        }
        year += year < 70 ? 2000 : 1900;
    }
    tm.tm_mon = month_of(month);
    tm.tm_year = year - 1900;
    if (tm.tm_mon < 0 || year < 1970) {
        return false;
    }
    *unix_s = timegm(&tm);
    return true;
}

static bool parse_number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && end[strspn(end, " \t")] == '\0' && isfinite(*value);
}

/* In the past means now; more than a day is as good as a day: nobody waits for it. */
static int64_t clamp_ms(double ms)
{
    return ms <= 0 ? 0 : (int64_t)ceil(fmin(ms, DAY_MS));
}

void llm_error_headers(struct llm_error *error, const char *retry_after, const char *retry_after_ms,
                       const char *should_retry, int64_t wall_ms)
{
    double number;
    int64_t unix_s;
    error->retry_after_ms = -1;
    if (retry_after_ms != NULL && parse_number(retry_after_ms, &number)) {
        error->retry_after_ms = clamp_ms(number);
    } else if (retry_after != NULL && parse_number(retry_after, &number)) {
        error->retry_after_ms = clamp_ms(number * 1000);
    } else if (retry_after != NULL && parse_http_date(retry_after, &unix_s)) {
        error->retry_after_ms = clamp_ms((double)unix_s * 1000 - (double)wall_ms);
    }

    error->should_retry = -1;
    if (should_retry != NULL && strcasecmp(should_retry, "true") == 0) {
        error->should_retry = 1;
    } else if (should_retry != NULL && strcasecmp(should_retry, "false") == 0) {
        error->should_retry = 0;
    }
}
