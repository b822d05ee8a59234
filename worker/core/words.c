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

/* Capitals: of a range that has them alone, what is added; of one where each stands before
 * its small letter, PAIRS. */
#define PAIRS 0

static const struct {
    uint16_t from, to;
    int16_t add;
} capitals[] = {
    {0xC0, 0xD6, 32},      {0xD8, 0xDE, 32},      {0x100, 0x12F, PAIRS}, {0x130, 0x130, -199},
    {0x132, 0x137, PAIRS}, {0x139, 0x148, PAIRS}, {0x14A, 0x177, PAIRS}, {0x178, 0x178, -121},
    {0x179, 0x17E, PAIRS}, {0x386, 0x386, 38},    {0x388, 0x38A, 37},    {0x38C, 0x38C, 64},
    {0x38E, 0x38F, 63},    {0x391, 0x3A9, 32},    {0x400, 0x40F, 80},    {0x410, 0x42F, 32},
    {0x460, 0x481, PAIRS}, {0x48A, 0x4BF, PAIRS}, {0x4D0, 0x52F, PAIRS}, {0x1E00, 0x1EFF, PAIRS},
};

/* Latin, Greek and Cyrillic; scripts without case pass through. */
static uint32_t lower(uint32_t code)
{
    if (code < 0x80)
        return code >= 'A' && code <= 'Z' ? code + 32 : code;
    for (size_t i = 0; i < sizeof(capitals) / sizeof(*capitals) && code >= capitals[i].from; i++) {
        if (code > capitals[i].to)
            continue;
        if (capitals[i].add != PAIRS)
            return (uint32_t)((int32_t)code + capitals[i].add);
        return (code - capitals[i].from) % 2 == 0 ? code + 1 : code;
    }
    return code;
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
