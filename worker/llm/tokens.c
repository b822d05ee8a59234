#include "llm/tokens.h"

#include "core/utf8.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#define ASCII_QUARTERS     1
#define BROKEN_QUARTERS    2 /* a byte that is no UTF-8 */
#define MARKS_QUARTERS     2
#define TWO_BYTES_QUARTERS 4 /* alphabets of two bytes a letter, unless listed */
#define OTHER_QUARTERS     6
#define ASTRAL_QUARTERS    8 /* emoji, rare scripts */

/*
 * Quarters of a token for a code point, where the length of its UTF-8 does not say it.
 * The vocabularies in use are made of bytes: what they have merged is cheap, the rest
 * costs up to a token a byte. Measured by others:
 *   ASCII: English prose has 4 characters a token in OpenAI's vocabularies (their own rule
 *     of thumb); Claude's has a fifth less (strands-agents/harness-sdk#2031).
 *   Han, kana, Hangul: a quarter a character is 2.4 to 6 times too little (cymoo/lovia#91,
 *     headroom#1093): one token a character.
 *   Hebrew, Arabic, Cyrillic, Greek: merged in pairs at best: a token for two bytes.
 *   Indic scripts and the like: three bytes, merged least of all: a token and a half.
 * High rather than low: a prompt that is too long is refused, one too short only shorter.
 */
static const struct {
    uint32_t first, last;
    int quarters;
} scripts[] = {
    {0x0E00, 0x0E7F, 4},   /* Thai */
    {0x1100, 0x11FF, 4},   /* Hangul letters */
    {0x2010, 0x2027, 4},   /* dashes, quotation marks, dots: a token each */
    {0x2E80, 0x9FFF, 4},   /* Han, kana, their marks */
    {0xA960, 0xA97F, 4},   /* Hangul letters */
    {0xAC00, 0xD7FF, 4},   /* Hangul */
    {0xF900, 0xFAFF, 4},   /* Han, for compatibility */
    {0xFF00, 0xFFEF, 4},   /* full width */
    {0x20000, 0x3FFFF, 4}, /* rare Han */
};

static int quarters_of(uint32_t code, size_t bytes)
{
    if (bytes == 1) {
        return code < 0x80 ? ASCII_QUARTERS : BROKEN_QUARTERS;
    }
    for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
        if (code >= scripts[i].first && code <= scripts[i].last) {
            return scripts[i].quarters;
        }
    }
    return bytes == 2 ? TWO_BYTES_QUARTERS : bytes == 3 ? OTHER_QUARTERS : ASTRAL_QUARTERS;
}

/* What code and JSON write behind a mark, and prose does not: each such pair is a token
 * of its own or splits one. */
static const char *marks_behind(uint32_t mark)
{
    switch (mark) {
    case '{': return "\"{}";
    case '}': return ",}]);";
    case '[': return "\"{[";
    case ']': return "}];";
    case '"': return ":}]>";
    case ':': return "\"{[:";
    case '(': return ")";
    case '=': return "=>\"";
    case '<': return "/=";
    case '>': return "=";
    case '/': return ">";
    case '-': return ">";
    case '!': return "=";
    case '+': return "=";
    case '&': return "&";
    case '|': return "|";
    default: return NULL;
    }
}

static bool is_code(uint32_t left, uint32_t right)
{
    const char *behind = left < 0x80 && right > ' ' && right < 0x80 ? marks_behind(left) : NULL;

    return behind != NULL && strchr(behind, (int)right) != NULL;
}

int tokens_estimate(const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    uint32_t last = 0;
    size_t quarters = 0;

    while (at < end) {
        const char *from = at;
        uint32_t code = utf8_next(&at, end);
        quarters += (size_t)quarters_of(code, (size_t)(at - from));
        quarters += is_code(last, code) ? MARKS_QUARTERS : 0;
        last = code;
    }
    size_t tokens = quarters / 4 + (quarters % 4 != 0);
    return tokens < INT_MAX ? (int)tokens : INT_MAX;
}
