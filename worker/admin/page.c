#include "admin/page.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SEAL_LEN  16
#define SEPARATOR '\x1f'

static void seal(unsigned char out[SEAL_LEN], const struct admin_request *request, const char *list,
                 const char *text, size_t len)
{
    const char *token = request->config->admin_token != NULL ? request->config->admin_token : "";
    size_t key = strlen(token) < crypto_generichash_KEYBYTES_MAX ? strlen(token)
                                                                 : crypto_generichash_KEYBYTES_MAX;
    crypto_generichash_state state;

    crypto_generichash_init(&state, (const unsigned char *)token, key, SEAL_LEN);
    crypto_generichash_update(&state, (const unsigned char *)request->org, strlen(request->org));
    crypto_generichash_update(&state, (const unsigned char *)list, strlen(list) + 1);
    crypto_generichash_update(&state, (const unsigned char *)text, len);
    crypto_generichash_final(&state, out, SEAL_LEN);
}

/* The sealed values, cut at their separators. */
static bool open_cursor(const struct admin_request *request, const char *list, const char *cursor,
                        size_t columns, struct page *page)
{
    unsigned char wanted[SEAL_LEN];
    size_t room = strlen(cursor), len;
    unsigned char *bytes = arena_alloc(request->arena, room + 1);

    if (room > PAGE_CURSOR_MAX ||
        sodium_base642bin(bytes, room, cursor, room, NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        len <= SEAL_LEN)
        return false;
    char *text = (char *)bytes + SEAL_LEN;
    bytes[len] = '\0';
    seal(wanted, request, list, text, len - SEAL_LEN);
    if (sodium_memcmp(wanted, bytes, SEAL_LEN) != 0)
        return false;
    for (size_t i = 0; i < columns; i++) {
        page->after[i] = text;
        text = strchr(text, SEPARATOR);
        if ((text != NULL) != (i + 1 < columns))
            return false;
        if (text != NULL)
            *text++ = '\0';
    }
    return true;
}

static bool read_limit(const char *text, int *limit)
{
    char *end;
    long value = strtol(text, &end, 10);

    *limit = (int)value;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && value >= 1 &&
           value <= PAGE_LIMIT_MAX;
}

bool page_read(const struct admin_request *request, struct admin_reply *reply, const char *list,
               size_t columns, struct page *page)
{
    const char *limit = admin_query(request, "limit");
    const char *cursor = admin_query(request, "cursor");

    *page = (struct page){.limit = PAGE_LIMIT};
    if (limit != NULL && !read_limit(limit, &page->limit)) {
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, "limit",
                      "a whole number from 1 to 200 would be right");
        return false;
    }
    if (cursor != NULL && !open_cursor(request, list, cursor, columns, page)) {
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, "cursor",
                      "this is not the next_cursor of an answer to this list");
        return false;
    }
    db_number(page->rows, page->limit + 1);
    return true;
}

void page_next(struct fd_json_writer *w, const struct admin_request *request, const char *list,
               const struct page *page, int rows, const char *const *values, size_t columns)
{
    fd_jw_key(w, "next_cursor");
    if (rows <= page->limit) {
        fd_jw_null(w);
        return;
    }
    const char *text = columns == 2
                           ? arena_printf(request->arena, "%s%c%s", values[0], SEPARATOR, values[1])
                           : values[0];
    size_t len = SEAL_LEN + strlen(text);
    unsigned char *sealed = arena_alloc(request->arena, len);
    seal(sealed, request, list, text, strlen(text));
    memcpy(sealed + SEAL_LEN, text, strlen(text));
    size_t size = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *cursor = arena_alloc(request->arena, size);
    sodium_bin2base64(cursor, size, sealed, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    fd_jw_cstring(w, cursor);
}
