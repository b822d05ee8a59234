#include "core/utf8.h"

#include <stdbool.h>
#include <string.h>

static bool is_tail(const char *p)
{
    return ((unsigned char)*p & 0xC0) == 0x80;
}

static size_t sequence_length(unsigned char lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return 2;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        return 3;
    }
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

uint32_t utf8_next(const char **at, const char *end)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    const char *p = *at;
    unsigned char lead = (unsigned char)*p;
    size_t length = sequence_length(lead);

    *at = p + 1;
    if (length <= 1) {
        return length == 1 ? lead : UTF8_REPLACEMENT;
    }
    if (length > (size_t)(end - p)) {
        return UTF8_REPLACEMENT;
    }
    uint32_t code = lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (!is_tail(p + i)) {
            return UTF8_REPLACEMENT;
        }
        code = code << 6 | ((unsigned char)p[i] & 0x3Fu);
    }
    if (code < smallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return UTF8_REPLACEMENT;
    }
    *at = p + length;
    return code;
}

size_t utf8_put(char out[4], uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

size_t utf8_line(char *out, size_t size, const char **at, const char *end)
{
    size_t len = 0;
    bool blank = true;

    while (*at < end) {
        const char *next = *at;
        uint32_t code = utf8_next(&next, end);
        bool white = code <= ' ' || code == 0x7f || (code >= 0x80 && code < 0xa0);
        char bytes[4];
        size_t put = white && blank ? 0 : utf8_put(bytes, white ? ' ' : code);
        if (put >= size - len) {
            break;
        }
        memcpy(out + len, bytes, put);
        len += put;
        blank = white;
        *at = next;
    }
    out[len] = '\0';
    return len;
}

size_t utf8_floor(const char *text, size_t size, size_t len)
{
    if (len >= size) {
        return size;
    }
    size_t at = len;
    for (int back = 0; back < 3 && at > 0 && is_tail(text + at); back++) {
        at--;
    }
    /* Four tail bytes in a row are no sequence: cut anywhere. */
    return is_tail(text + at) ? len : at;
}
