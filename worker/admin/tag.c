#include "admin/tag.h"

#include <sodium.h>
#include <string.h>

#define HASH_LEN  16
#define HASH_SIZE 23 /* in base64url */
#define DEPTH     24
#define NODES     65536

static void hash(char out[HASH_SIZE], const void *bytes, size_t len)
{
    unsigned char sum[HASH_LEN];

    crypto_generichash(sum, sizeof(sum), bytes, len, NULL, 0);
    sodium_bin2base64(out, HASH_SIZE, sum, sizeof(sum), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static bool is_among(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* The members that can be set. False: the answer is no object. */
static bool hash_settable(char out[HASH_SIZE], const struct buf *body, const char *const *computed)
{
    struct fd_json_limits limits = {.depth = DEPTH, .nodes = NODES};
    struct fd_json_fault fault;
    struct fd_json_writer w;
    struct arena a;
    struct buf kept;

    arena_init(&a);
    const struct fd_json *json =
        fd_json_parse(body->data, body->len, limits, arena_allocator(&a), &fault);
    bool ok = json != NULL && json->type == FD_JSON_OBJECT;
    buf_init(&kept, 2 * body->len + 64);
    buf_json(&kept, &w);
    fd_jw_object(&w);
    for (const struct fd_json *m = ok ? json->child : NULL; m != NULL; m = m->next) {
        if (!is_among(m->key, computed)) {
            fd_jw_key(&w, m->key);
            fd_jw_json(&w, m);
        }
    }
    fd_jw_end_object(&w);
    ok = buf_json_end(&kept, &w) && ok;
    if (ok)
        hash(out, kept.data, kept.len);
    buf_wipe(&kept);
    arena_wipe(&a);
    return ok;
}

const char *tag_of(struct arena *a, const struct buf *body, const char *const *computed)
{
    char whole[HASH_SIZE], settable[HASH_SIZE];

    hash(whole, body->data != NULL ? body->data : "", body->len);
    return computed != NULL && hash_settable(settable, body, computed)
               ? arena_printf(a, "\"%s.%s\"", settable, whole)
               : arena_printf(a, "\"%s\"", whole);
}

/* The next tag of a list, without its quotes; *any: it is "*". False: there is none, or the
 * list is malformed. */
static bool next(const char **at, const char **tag, size_t *len, bool *any)
{
    *at += strspn(*at, " \t,");
    *any = **at == '*';
    if (*any) {
        (*at)++;
        return true;
    }
    *at += strncmp(*at, "W/", 2) == 0 ? 2 : 0;
    if (**at != '"')
        return false;
    *tag = *at + 1;
    *len = strcspn(*tag, "\"");
    if ((*tag)[*len] != '"')
        return false;
    *at = *tag + *len + 1;
    return true;
}

static bool is_listed(const char *header, const char *tag, size_t tag_len, bool first_half)
{
    const char *one = NULL;
    size_t len = 0;
    bool any;

    for (const char *at = header; next(&at, &one, &len, &any);) {
        if (any)
            return true;
        const char *dot = first_half ? memchr(one, '.', len) : NULL;
        len = dot != NULL ? (size_t)(dot - one) : len;
        if (len == tag_len && memcmp(one, tag, len) == 0)
            return true;
    }
    return false;
}

bool tag_is_known(const char *header, const char *tag)
{
    return is_listed(header, tag + 1, strlen(tag) - 2, false);
}

bool tag_allows(const char *header, const char *tag)
{
    return is_listed(header, tag + 1, strcspn(tag + 1, ".\""), true);
}
