/* From the bytes of a file to clean UTF-8. */
#define _GNU_SOURCE /* strcasestr */
#include "tenant/import_format.h"

#include "core/utf8.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#define PRESCAN      1024 /* bytes in which an HTML file declares its encoding (WHATWG HTML 13.2.3) */
#define NAME_MAX_LEN 31

/* What pages are written in; nothing else is handed to iconv. A name of Latin 1 means
 * windows-1252 to every browser. */
static const char *const encodings[][2] = {
    {"windows-1252", "WINDOWS-1252"}, {"cp1252", "WINDOWS-1252"},
    {"iso-8859-1", "WINDOWS-1252"},   {"latin1", "WINDOWS-1252"},
    {"us-ascii", "WINDOWS-1252"},     {"windows-1255", "WINDOWS-1255"},
    {"iso-8859-8", "ISO-8859-8"},     {"iso-8859-8-i", "ISO-8859-8"},
    {"windows-1251", "WINDOWS-1251"}, {"koi8-r", "KOI8-R"},
    {"windows-1256", "WINDOWS-1256"}, {"iso-8859-6", "ISO-8859-6"},
    {"windows-1250", "WINDOWS-1250"}, {"iso-8859-2", "ISO-8859-2"},
    {"windows-1253", "WINDOWS-1253"}, {"windows-1254", "WINDOWS-1254"},
    {"iso-8859-9", "WINDOWS-1254"},   {"iso-8859-15", "ISO-8859-15"},
};

static const char *encoding_named(const char *name)
{
    for (size_t i = 0; i < sizeof(encodings) / sizeof(*encodings); i++) {
        if (strcasecmp(encodings[i][0], name) == 0)
            return encodings[i][1];
    }
    return NULL;
}

/* <meta charset=...>, or charset= in a <meta>'s content; NULL: none, or UTF-8. */
static const char *declared(const char *bytes, size_t len)
{
    char head[PRESCAN + 1], name[NAME_MAX_LEN + 1];
    size_t n = 0;

    for (size_t i = 0; i < len && i < PRESCAN; i++)
        head[n++] = bytes[i] != '\0' ? bytes[i] : ' ';
    head[n] = '\0';
    const char *meta = strcasestr(head, "<meta");
    const char *charset = meta != NULL ? strcasestr(meta, "charset") : NULL;
    if (charset == NULL)
        return NULL;
    charset += strlen("charset");
    charset += strspn(charset, " \t\r\n");
    if (*charset++ != '=')
        return NULL;
    charset += strspn(charset, " \t\r\n\"'");
    n = strcspn(charset, " \t\r\n\"'/>;");
    if (n == 0 || n > NAME_MAX_LEN)
        return NULL;
    memcpy(name, charset, n);
    name[n] = '\0';
    return encoding_named(name);
}

/* What the encoding has no character for becomes U+FFFD. */
static char *convert(struct arena *a, const char *encoding, const char *bytes, size_t len,
                     size_t *out_len)
{
    iconv_t conversion = iconv_open("UTF-8", encoding);
    if (conversion == (iconv_t)-1)
        return NULL;
    /* Three bytes are the most that one of these makes of one; UTF-16 makes three of two. */
    size_t room = 3 * len + 4;
    char *text = arena_alloc(a, room), *out = text;
    char *in = arena_strndup(a, bytes, len);
    while (len > 0 && iconv(conversion, &in, &len, &out, &room) == (size_t)-1 && room >= 3) {
        if (errno == E2BIG)
            break;
        out += utf8_put(out, UTF8_REPLACEMENT);
        room -= 3;
        size_t skip = strncmp(encoding, "UTF-16", 6) == 0 && len > 1 ? 2 : 1;
        in += skip;
        len -= skip;
    }
    iconv(conversion, NULL, NULL, &out, &room); /* a letter that waited for its points */
    iconv_close(conversion);
    *out_len = (size_t)(out - text);
    return text;
}

static bool is_kept(uint32_t code)
{
    if (code < 0x20)
        return code == '\n' || code == '\t';
    return code != 0x7F && (code < 0x80 || code > 0x9F) && code != 0xAD && code != 0xFEFF;
}

/* In place: what is left is never longer. */
static size_t clean(char *text, size_t len)
{
    const char *at = text, *end = text + len;
    char *out = text;

    while (at < end) {
        const char *from = at;
        uint32_t code = utf8_next(&at, end);
        if (code == '\r') {
            *out++ = '\n';
            at += at < end && *at == '\n';
        } else if (code == 0xA0) {
            *out++ = ' ';
        } else if (is_kept(code)) {
            memmove(out, from, (size_t)(at - from));
            out += at - from;
        }
    }
    return (size_t)(out - text);
}

char *import_decode(struct arena *a, const char *bytes, size_t len, bool html, size_t *out_len)
{
    const char *encoding = NULL;
    char *text;

    if (len >= 2 && memcmp(bytes, "\xFF\xFE", 2) == 0)
        encoding = "UTF-16LE";
    else if (len >= 2 && memcmp(bytes, "\xFE\xFF", 2) == 0)
        encoding = "UTF-16BE";
    else if (memchr(bytes, '\0', len) != NULL)
        return NULL;
    else if (!fd_utf8_valid(bytes, len) && (!html || (encoding = declared(bytes, len)) == NULL))
        return NULL;
    if (encoding != NULL)
        text = convert(a, encoding, bytes, len, &len);
    else
        text = arena_strndup(a, bytes, len);
    if (text == NULL || memchr(text, '\0', len) != NULL)
        return NULL;
    *out_len = clean(text, len);
    text[*out_len] = '\0';
    return text;
}
