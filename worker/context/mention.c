#include "context/mention.h"

#include <stdbool.h>
#include <string.h>

#define EMAIL_MAX  254
#define NUMBER_MAX 64

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_part(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("@._%+-#/", c) != NULL);
}

static char *in_case(struct arena *a, const char *text, size_t len, char first, char last)
{
    char *copy = arena_strndup(a, text, len);

    for (size_t i = 0; i < len; i++) {
        if (copy[i] >= first && copy[i] <= last) {
            copy[i] ^= 0x20;
        }
    }
    return copy;
}

static bool is_listed(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static void add_email(struct arena *a, struct mentions *mentions, const char *text, size_t len)
{
    const char *at = memchr(text, '@', len);
    size_t domain = len - (size_t)(at - text) - 1;

    if (mentions->email_count == MENTION_EMAILS_MAX || len > EMAIL_MAX || at == text ||
        memchr(at + 1, '.', domain) == NULL || memchr(at + 1, '@', domain) != NULL) {
        return;
    }
    const char *email = in_case(a, text, len, 'A', 'Z');
    if (!is_listed(mentions->emails, mentions->email_count, email)) {
        mentions->emails[mentions->email_count++] = email;
    }
}

static void add_variant(struct mentions *mentions, const char *number)
{
    if (!is_listed(mentions->numbers, mentions->number_count, number)) {
        mentions->numbers[mentions->number_count++] = number;
    }
}

static void add_number(struct arena *a, struct mentions *mentions, const char *text, size_t len)
{
    add_variant(mentions, arena_strndup(a, text, len));
    add_variant(mentions, in_case(a, text, len, 'a', 'z'));
    if (*text == '#') {
        add_variant(mentions, arena_strndup(a, text + 1, len - 1));
        add_variant(mentions, in_case(a, text + 1, len - 1, 'a', 'z'));
    }
}

static bool has_digit(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (is_digit(text[i])) {
            return true;
        }
    }
    return false;
}

void mentions_of(struct arena *a, const char *text, size_t len, struct mentions *mentions)
{
    const char *at = text, *end = text + len;
    size_t numbers = 0;

    memset(mentions, 0, sizeof(*mentions));
    while (at < end) {
        while (at < end && !is_part(*at)) {
            at++;
        }
        const char *start = at;
        while (at < end && is_part(*at)) {
            at++;
        }
        const char *stop = at;
        while (start < stop && !is_alnum(*start) && *start != '#') {
            start++;
        }
        while (stop > start && !is_alnum(stop[-1])) {
            stop--;
        }
        size_t size = (size_t)(stop - start);
        if (memchr(start, '@', size) != NULL) {
            add_email(a, mentions, start, size);
        } else if (has_digit(start, size) && size <= NUMBER_MAX && numbers < MENTION_NUMBERS_MAX) {
            add_number(a, mentions, start, size);
            numbers++;
        }
    }
}
