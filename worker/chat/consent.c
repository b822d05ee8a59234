#include "chat/consent.h"

#include "core/utf8.h"
#include "protocol/limits.h"

#include <string.h>

#define VALUE_JSON_MAX 8192

/* What turns text around, or cannot be seen: a value must not look like another. */
static bool misleads(uint32_t code)
{
    return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0x200b || code == 0x200e || code == 0x200f || code == 0x2028 || code == 0x2029 ||
           code == 0x61c || code == 0xfeff || code == 0xad;
}

static void put_plain(struct buf *out, const char *text, size_t len)
{
    const char *at = text;
    while (at < text + len) {
        char bytes[4];
        uint32_t code = utf8_next(&at, text + len);
        if (code < ' ' || (code >= 0x7f && code < 0xa0))
            code = ' ';
        if (!misleads(code))
            buf_append(out, bytes, utf8_put(bytes, code));
    }
}

/* "get_order-status" -> "get order status" */
static void put_words(struct buf *out, const char *name, size_t len)
{
    size_t at = 0;
    while (at < len) {
        size_t word = strcspn(name + at, "_-");
        word = word < len - at ? word : len - at;
        put_plain(out, name + at, word);
        at += word;
        if (at < len) {
            buf_puts(out, " ");
            at++;
        }
    }
}

static size_t first_sentence(const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        bool ends = (text[i] == '.' && (text[i + 1] == ' ' || text[i + 1] == '\n')) ||
                    (text[i] == '\n' && text[i + 1] == '\n');
        if (ends)
            return text[i] == '.' ? i + 1 : i;
    }
    return strlen(text);
}

static void put_value(struct buf *out, const struct fd_json *value)
{
    struct buf json;
    struct fd_json_writer w;
    if (value->type == FD_JSON_STRING) {
        put_plain(out, value->text, value->text_len);
        return;
    }
    buf_init(&json, VALUE_JSON_MAX);
    buf_json(&json, &w);
    fd_jw_json(&w, value);
    if (buf_json_end(&json, &w))
        put_plain(out, json.data, json.len);
    else
        out->over = true;
    buf_free(&json);
}

bool consent_summary(struct buf *out, const char *name, const char *description,
                     const struct fd_json *arguments)
{
    if (description != NULL && description[strspn(description, " \t\r\n")] != '\0')
        put_plain(out, description, first_sentence(description));
    else
        put_words(out, name, strlen(name));
    for (const struct fd_json *at = arguments->child; at != NULL; at = at->next) {
        buf_puts(out, "\n");
        put_words(out, at->key, at->key_len);
        buf_puts(out, ": ");
        put_value(out, at);
    }
    return !out->over && out->len <= FD_TOOL_SUMMARY_MAX;
}
