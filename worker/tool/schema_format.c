#include "tool/schema_format.h"

#include <ctype.h>
#include <string.h>

static bool digits(const char *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
    }
    return true;
}

static int number(const char *s, size_t count)
{
    int value = 0;

    for (size_t i = 0; i < count; i++)
        value = value * 10 + (s[i] - '0');
    return value;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* RFC 3339 full-date: a day of the calendar. */
static bool is_date(const char *s, size_t len)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (len != 10 || !digits(s, 4) || s[4] != '-' || !digits(s + 5, 2) || s[7] != '-' ||
        !digits(s + 8, 2))
        return false;
    int month = number(s + 5, 2), day = number(s + 8, 2);
    if (month < 1 || month > 12 || day < 1)
        return false;
    return day <= days[month - 1] + (month == 2 && is_leap(number(s, 4)));
}

static bool is_offset(const char *s, size_t len)
{
    if (len == 1)
        return s[0] == 'Z' || s[0] == 'z';
    return len == 6 && (s[0] == '+' || s[0] == '-') && digits(s + 1, 2) && s[3] == ':' &&
           digits(s + 4, 2) && number(s + 1, 2) < 24 && number(s + 4, 2) < 60;
}

/* RFC 3339: date, time and offset. */
static bool is_date_time(const char *s, size_t len)
{
    if (len < 20 || !is_date(s, 10) || (s[10] != 'T' && s[10] != 't') || !digits(s + 11, 2) ||
        s[13] != ':' || !digits(s + 14, 2) || s[16] != ':' || !digits(s + 17, 2))
        return false;
    if (number(s + 11, 2) > 23 || number(s + 14, 2) > 59 || number(s + 17, 2) > 60)
        return false;
    size_t at = 19;
    if (s[at] == '.') {
        size_t from = ++at;
        while (at < len && digits(s + at, 1))
            at++;
        if (at == from)
            return false;
    }
    return at < len && is_offset(s + at, len - at);
}

static bool is_domain(const char *s, size_t len)
{
    size_t label = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '.') {
            if (label == 0 || s[i - 1] == '-')
                return false;
            label = 0;
        } else if (isalnum(c) || c >= 0x80 || (c == '-' && label > 0)) {
            label++;
        } else {
            return false;
        }
    }
    return label > 0 && s[len - 1] != '-';
}

/* An address that mail can be sent to; no quoted local parts, no comments. */
static bool is_email(const char *s, size_t len)
{
    const char *at = memchr(s, '@', len);
    size_t local = at != NULL ? (size_t)(at - s) : 0;

    if (local == 0 || local > 64 || len > 254 || s[0] == '.' || s[local - 1] == '.')
        return false;
    for (size_t i = 0; i < local; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c <= ' ' || c == 0x7f || strchr("\"(),:;<>[\\]", c) != NULL ||
            (c == '.' && s[i + 1] == '.'))
            return false;
    }
    return is_domain(at + 1, len - local - 1);
}

/* RFC 3986: a scheme, then only characters that a URI has. */
static bool is_uri(const char *s, size_t len)
{
    size_t i = 0;

    if (len == 0 || !isalpha((unsigned char)s[0]))
        return false;
    while (i < len && (isalnum((unsigned char)s[i]) || strchr("+-.", s[i]) != NULL))
        i++;
    if (i == len || s[i] != ':')
        return false;
    for (i++; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '%' && (i + 2 >= len || !isxdigit((unsigned char)s[i + 1]) ||
                         !isxdigit((unsigned char)s[i + 2])))
            return false;
        if (!isalnum(c) && strchr("%:/?#[]@!$&'()*+,;=-._~", c) == NULL)
            return false;
    }
    return true;
}

static bool is_uuid(const char *s, size_t len)
{
    if (len != 36)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
            return false;
    }
    return true;
}

static const struct {
    const char *name;
    bool (*holds)(const char *s, size_t len);
    const char *example;
} formats[] = {
    [SCHEMA_ANY_FORMAT] = {"", NULL, "a string"},
    [SCHEMA_DATE] = {"date", is_date, "a date such as 2026-03-14"},
    [SCHEMA_DATE_TIME] = {"date-time", is_date_time,
                          "a date and time with offset such as 2026-03-14T09:30:00Z"},
    [SCHEMA_EMAIL] = {"email", is_email, "an e-mail address such as name@example.com"},
    [SCHEMA_URI] = {"uri", is_uri, "an absolute URI such as https://example.com/page"},
    [SCHEMA_UUID] = {"uuid", is_uuid, "a UUID such as 6f0c1b1e-5d2a-4c3b-9a8e-0123456789ab"},
};

enum schema_format schema_format_named(const char *name)
{
    for (size_t i = SCHEMA_DATE; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(formats[i].name, name) == 0)
            return (enum schema_format)i;
    }
    return SCHEMA_ANY_FORMAT;
}

bool schema_format_holds(enum schema_format format, const char *text, size_t len)
{
    return formats[format].holds == NULL || formats[format].holds(text, len);
}

const char *schema_format_example(enum schema_format format)
{
    return formats[format].example;
}
