#include "protocol/json_guard.h"

/* The four digits behind "\u", -1 where they are not hexadecimal. */
static int hex4(const char *s)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        char c = s[i];

        if (c >= '0' && c <= '9')
            value = value * 16 + (c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            value = value * 16 + (c - 'A' + 10);
        else
            return -1;
    }
    return value;
}

/* Looks at the escape at s[0] = '\\' and sets its length. What is wrong in a way
 * that yajl sees itself is left to yajl. */
static enum fd_json_error guard_escape(const char *s, size_t left, size_t *len)
{
    int unit, low;

    *len = left < 2 ? left : 2;
    if (left < 6 || s[1] != 'u')
        return FD_JSON_OK;
    unit = hex4(s + 2);
    *len = unit < 0 ? 2 : 6;
    if (unit == 0)
        return FD_JSON_NUL;
    if (unit < 0xd800 || unit > 0xdfff)
        return FD_JSON_OK;
    if (unit >= 0xdc00 || left < 12 || s[6] != '\\' || s[7] != 'u')
        return FD_JSON_UTF8;
    low = hex4(s + 8);
    if (low < 0xdc00 || low > 0xdfff)
        return FD_JSON_UTF8;
    *len = 12;
    return FD_JSON_OK;
}

size_t fd_utf8_sequence(const char *text, size_t left)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned char low = 0x80, high = 0xbf;
    size_t len;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (left < len)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0; /* overlong below */
    else if (s[0] == 0xed)
        high = 0x9f; /* surrogates above */
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f; /* above U+10FFFF */
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    }
    return len;
}

bool fd_utf8_valid(const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t step = fd_utf8_sequence(s + i, len - i);

        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

/* A backslash outside a string is a syntax error anyway, so strings need not be
 * told apart from the rest. */
size_t fd_json_guard(const char *text, size_t len, enum fd_json_error *error)
{
    size_t i = 0;

    *error = FD_JSON_OK;
    while (i < len) {
        unsigned char c = (unsigned char)text[i];
        size_t step = 1;

        if (c == '\0') {
            *error = FD_JSON_NUL;
        } else if (c == '\v' || c == '\f') { /* white space to yajl, but not to RFC 8259 */
            *error = FD_JSON_SYNTAX;
        } else if (c == '\\') {
            *error = guard_escape(text + i, len - i, &step);
        } else if (c >= 0x80) {
            step = fd_utf8_sequence(text + i, len - i);
            if (step == 0)
                *error = FD_JSON_UTF8;
        }
        if (*error != FD_JSON_OK)
            return i;
        i += step;
    }
    return len;
}
