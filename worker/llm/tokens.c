#include "llm/tokens.h"

#include "core/utf8.h"

#include <limits.h>

static int is_one_token_script(uint32_t code)
{
    return (code >= 0x0E00 && code <= 0x0E7F) || /* thai */
           (code >= 0x1100 && code <= 0x11FF) || /* hangul */
           (code >= 0x2E80 && code <= 0x9FFF) || /* CJK, kana */
           (code >= 0xA960 && code <= 0xA97F) || /* hangul */
           (code >= 0xAC00 && code <= 0xD7FF) || /* hangul */
           (code >= 0xF900 && code <= 0xFAFF) || /* CJK */
           (code >= 0xFF00 && code <= 0xFFEF) || /* full width */
           (code >= 0x20000 && code <= 0x3FFFF); /* CJK */
}

int tokens_estimate(const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    size_t quarters = 0;
    while (at < end) {
        const char *from = at;
        uint32_t code = utf8_next(&at, end);
        if (code < 0x80) {
            quarters += 1;
        } else if (is_one_token_script(code)) {
            quarters += 4;
        } else {
            quarters += 2 * (size_t)(at - from);
        }
    }
    size_t tokens = quarters / 4 + (quarters % 4 != 0);
    return tokens < INT_MAX ? (int)tokens : INT_MAX;
}
