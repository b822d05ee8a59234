#include "core/visible.h"

#include "core/utf8.h"

#include <string.h>

#define CODE_BYTES_MAX 4

bool visible_code(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x1F},        {0x7F, 0x9F},     {0xAD, 0xAD},     {0x180E, 0x180E},
        {0x200B, 0x200B},    {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
        {0xFFF9, 0xFFFB},    {0xFFFE, 0xFFFF}, {0xE000, 0xF8FF}, {0xE0000, 0xE0FFF},
        {0xF0000, 0x10FFFF},
    };

    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        if (code >= hidden[i].first && code <= hidden[i].last)
            return false;
    }
    return true;
}

static bool is_blank(uint32_t code)
{
    return code == ' ' || (code >= '\t' && code <= '\r') || code == 0x85 || code == 0xA0 ||
           code == 0x2028 || code == 0x2029;
}

/* A byte that is not UTF-8 becomes a replacement of three. */
static char *room_for(struct arena *a, const char *text, size_t max, const char **end)
{
    size_t len = strlen(text);

    *end = text + len;
    return arena_alloc(a, (len < max / 3 ? len * 3 : max) + 1);
}

static const char *ended(char *out, size_t len)
{
    out[len] = '\0';
    return len > 0 ? out : NULL;
}

const char *visible_line(struct arena *a, const char *text, size_t max)
{
    const char *end;
    char *out = text != NULL ? room_for(a, text, max, &end) : NULL;
    size_t len = 0;
    bool blank = false;

    while (out != NULL && text < end) {
        char bytes[CODE_BYTES_MAX];
        uint32_t code = utf8_next(&text, end);
        if (is_blank(code)) {
            blank = len > 0;
            continue;
        }
        if (!visible_code(code))
            continue;
        size_t size = utf8_put(bytes, code);
        if (len + blank + size > max)
            break;
        if (blank)
            out[len++] = ' ';
        memcpy(out + len, bytes, size);
        len += size;
        blank = false;
    }
    return out != NULL ? ended(out, len) : NULL;
}

const char *visible_text(struct arena *a, const char *text, size_t max)
{
    const char *end;
    char *out = text != NULL ? room_for(a, text, max, &end) : NULL;
    size_t len = 0;

    while (out != NULL && text < end) {
        char bytes[CODE_BYTES_MAX];
        uint32_t code = utf8_next(&text, end);
        if (!visible_code(code) && code != '\n' && code != '\t')
            continue;
        size_t size = utf8_put(bytes, code);
        if (len + size > max)
            break;
        memcpy(out + len, bytes, size);
        len += size;
    }
    return out != NULL ? ended(out, len) : NULL;
}
