#define _GNU_SOURCE /* memmem */
#include "core/words.h"

#include "core/utf8.h"

#include <string.h>

struct range {
    uint32_t first, last;
};

/* Of ranges in ascending order. */
static bool in_ranges(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count && code >= ranges[i].first; i++) {
        if (code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

/* Written or not, the word is the same: points, tatweel, joiners, marks of direction. */
static bool is_dropped(uint32_t code)
{
    static const struct range ranges[] = {
        {0x00AD, 0x00AD}, {0x0591, 0x05BD}, {0x05BF, 0x05BF}, {0x05C1, 0x05C2}, {0x05C4, 0x05C5},
        {0x05C7, 0x05C7}, {0x0610, 0x061A}, {0x061C, 0x061C}, {0x0640, 0x0640}, {0x064B, 0x065F},
        {0x0670, 0x0670}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064}, {0x2066, 0x2069},
        {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF},
    };

    return code >= 0xAD && in_ranges(code, ranges, sizeof(ranges) / sizeof(*ranges));
}

static bool is_apostrophe(uint32_t code)
{
    return code == '\'' || code == 0x2019 || code == 0x02BC || code == 0x05F3;
}

/* A straight quote is gershayim only between Hebrew letters. */
static bool is_gershayim(uint32_t code)
{
    return code == '"' || code == 0x201D || code == 0x05F4;
}

static bool is_hebrew_letter(uint32_t code)
{
    return code >= 0x05D0 && code <= 0x05EA;
}

static bool is_letter(uint32_t code)
{
    static const struct range separators[] = {
        {0x0080, 0x00A9}, {0x00AB, 0x00B4},   {0x00B6, 0x00B9},    {0x00BB, 0x00BF},
        {0x00D7, 0x00D7}, {0x00F7, 0x00F7},   {0x05BE, 0x05BE},    {0x05C0, 0x05C0},
        {0x05C3, 0x05C3}, {0x05C6, 0x05C6},   {0x05F3, 0x05F4},    {0x0600, 0x060F},
        {0x061B, 0x061F}, {0x066A, 0x066D},   {0x06D4, 0x06D4},    {0x0964, 0x0965},
        {0x1680, 0x1680}, {0x2000, 0x2BFF},   {0x2E00, 0x2E7F},    {0x3000, 0x3004},
        {0x3008, 0x3020}, {0x3030, 0x3030},   {0xE000, 0xF8FF},    {0xFE10, 0xFE6F},
        {0xFF00, 0xFF0F}, {0xFF1A, 0xFF20},   {0xFF3B, 0xFF40},    {0xFF5B, 0xFF65},
        {0xFFE0, 0xFFFF}, {0x1F000, 0x1FAFF}, {0xE0000, 0x10FFFF},
    };

    if (code < 0x80) {
        return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
               (code >= 'A' && code <= 'Z');
    }
    return !in_ranges(code, separators, sizeof(separators) / sizeof(*separators));
}

/* Latin, Greek and Cyrillic; scripts without case pass through. */
static uint32_t lower(uint32_t code)
{
    if (code < 0x80) {
        return code >= 'A' && code <= 'Z' ? code + 32 : code;
    }
    if ((code >= 0xC0 && code <= 0xDE) || (code >= 0x391 && code <= 0x3A9) ||
        (code >= 0x410 && code <= 0x42F)) {
        return code == 0xD7 ? code : code + 32;
    }
    if (code == 0x130) {
        return 'i';
    }
    if (code == 0x178) {
        return 0xFF;
    }
    if ((code >= 0x139 && code <= 0x148) || (code >= 0x179 && code <= 0x17E)) {
        return code & 1 ? code + 1 : code;
    }
    if ((code >= 0x100 && code <= 0x177 && code != 0x138) || (code >= 0x460 && code <= 0x481) ||
        (code >= 0x48A && code <= 0x4BF) || (code >= 0x4D0 && code <= 0x52F) ||
        (code >= 0x1E00 && code <= 0x1EFF)) {
        return code & 1 ? code : code + 1;
    }
    if (code >= 0x400 && code <= 0x40F) {
        return code + 80;
    }
    switch (code) {
    case 0x386: return 0x3AC;
    case 0x388:
    case 0x389:
    case 0x38A: return code + 37;
    case 0x38C: return 0x3CC;
    case 0x38E:
    case 0x38F: return code + 63;
    default: return code;
    }
}

/* The next code point that counts, 0 at the end; *at moves behind it. */
static uint32_t next_code(const char **at, const char *end)
{
    while (*at < end) {
        uint32_t code = utf8_next(at, end);
        if (!is_dropped(code)) {
            return code;
        }
    }
    return 0;
}

static bool joins(uint32_t before, uint32_t mark, const char *at, const char *end)
{
    if (!is_apostrophe(mark) && !is_gershayim(mark)) {
        return false;
    }
    uint32_t after = next_code(&at, end);
    if (is_gershayim(mark)) {
        return is_hebrew_letter(before) && is_hebrew_letter(after);
    }
    return after != 0 && is_letter(after);
}

/* Fills out with the next word's normal form; its length, 0 at the end. */
static size_t next_word(const char **at, const char *end, char out[WORD_BYTES_MAX])
{
    size_t len = 0;
    uint32_t before = 0;

    while (*at < end) {
        uint32_t code = next_code(at, end);
        if (code != 0 && is_letter(code)) {
            char bytes[4];
            size_t size = utf8_put(bytes, lower(code));
            if (len + size <= WORD_BYTES_MAX) {
                memcpy(out + len, bytes, size);
                len += size;
            }
            before = code;
        } else if (before != 0 && joins(before, code, *at, end)) {
            if (len < WORD_BYTES_MAX) {
                out[len++] = '\'';
            }
        } else if (before != 0) {
            break;
        }
    }
    if (len > 2 && memcmp(out + len - 2, "'s", 2) == 0) {
        len -= 2;
    }
    return len;
}

size_t words_of(struct arena *a, const char *text, size_t len, struct word *words, size_t max)
{
    const char *end = text + len;
    char normal[WORD_BYTES_MAX];
    size_t count = 0;

    while (count < max) {
        size_t size = next_word(&text, end, normal);
        if (size == 0) {
            break;
        }
        words[count].text = arena_strndup(a, normal, size);
        words[count].len = size;
        count++;
    }
    return count;
}

bool words_are_address(const char *text, size_t len)
{
    return memchr(text, '@', len) != NULL || memmem(text, len, "://", 3) != NULL ||
           (len > 4 && memcmp(text, "www.", 4) == 0);
}

bool word_is_ascii(const struct word *word)
{
    for (size_t i = 0; i < word->len; i++) {
        if ((unsigned char)word->text[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

bool word_is_hebrew(const struct word *word)
{
    const char *at = word->text;

    return is_hebrew_letter(utf8_next(&at, word->text + word->len));
}
