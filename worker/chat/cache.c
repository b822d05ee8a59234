#include "chat/cache.h"

#include "core/buf.h"
#include "protocol/json.h"
#include "protocol/keys.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define NAME_SIZE   (sizeof(FD_KEY_CACHE_LEAD) + FD_SHA256_HEX_SIZE)
#define REQUEST_MAX 4194304
#define VALUE_MAX   (6 * CACHE_TEXT_MAX + 256)

/* -- what is the same -------------------------------------------------------------------------- */

static bool is_space(utf8proc_int32_t code)
{
    utf8proc_category_t category = utf8proc_category(code);
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP || (code >= '\t' && code <= '\r');
}

/* Appends it trimmed, each run of white space one space. */
static void put_collapsed(struct buf *out, const utf8proc_uint8_t *text)
{
    size_t start = out->len;
    bool due = false;
    for (utf8proc_ssize_t n; *text != '\0'; text += n) {
        utf8proc_int32_t code;
        n = utf8proc_iterate(text, -1, &code);
        if (n <= 0)
            return;
        if (is_space(code)) {
            due = out->len > start;
            continue;
        }
        if (due)
            buf_append(out, " ", 1);
        due = false;
        buf_append(out, text, (size_t)n);
    }
}

void cache_key(char key[FD_SHA256_HEX_SIZE], const char *org, const char *question, size_t len)
{
    utf8proc_uint8_t *composed = NULL;
    struct buf text;
    buf_init(&text, 20 * len + 64); /* NFC is at most three times as long */
    buf_append(&text, org, strlen(org) + 1);
    if (utf8proc_map((const utf8proc_uint8_t *)question, (utf8proc_ssize_t)len, &composed,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE) >= 0)
        put_collapsed(&text, composed);
    free(composed);
    fd_sha256_hex(key, text.data, text.len);
    buf_free(&text);
}

static void put_string(struct buf *out, const char *s)
{
    if (s != NULL)
        buf_append(out, s, strlen(s));
    buf_append(out, "", 1);
}

bool cache_digest(char digest[FD_SHA256_HEX_SIZE], const struct llm_request *request,
                  const char *provider, const char *model)
{
    struct buf text;
    buf_init(&text, REQUEST_MAX);
    put_string(&text, provider);
    put_string(&text, model);
    put_string(&text, request->system);
    put_string(&text, request->context);
    put_string(&text, request->language);
    for (size_t i = 0; i < request->tool_count; i++) {
        put_string(&text, request->tools[i].name);
        put_string(&text, request->tools[i].description);
        put_string(&text, request->tools[i].parameters);
    }
    buf_printf(&text, "%.3f %d", request->temperature, request->max_tokens);
    bool fits = !text.over;
    if (fits)
        fd_sha256_hex(digest, text.data, text.len);
    buf_free(&text);
    return fits;
}

/* -- in live Redis ----------------------------------------------------------------------------- */

bool cache_ask(struct redis *live, const char *key, const char *job, redis_reply_fn *on_answer,
               redis_reply_fn *on_lead, void *arg)
{
    char answer[NAME_SIZE], lead[NAME_SIZE];
    snprintf(answer, sizeof(answer), FD_KEY_CACHE, key);
    snprintf(lead, sizeof(lead), FD_KEY_CACHE_LEAD, key);
    return redis_call(live, on_answer, arg, "GET %s", answer) &&
           redis_call(live, on_lead, arg, "SET %s %s NX GET PX %d", lead, job, FD_CACHE_LEAD_MS);
}

bool cache_read(struct arena *a, const redisReply *reply, struct cached_answer *answer)
{
    struct fd_json_fault fault;
    if (reply == NULL || reply->type != REDIS_REPLY_STRING)
        return false;
    const struct fd_json *json = fd_json_parse(reply->str, reply->len, (struct fd_json_limits){0},
                                               arena_allocator(a), &fault);
    answer->digest = fd_json_string(json, "digest");
    answer->text = fd_json_string(json, "text");
    return answer->digest != NULL && answer->text != NULL && *answer->text != '\0';
}

enum cache_lead cache_lead(const redisReply *reply, char leader[FD_SHA256_HEX_SIZE])
{
    leader[0] = '\0';
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
        return CACHE_ALONE;
    if (reply->type != REDIS_REPLY_STRING)
        return CACHE_LEADS;
    if (reply->len == FD_SHA256_HEX_SIZE - 1)
        memcpy(leader, reply->str, FD_SHA256_HEX_SIZE);
    return CACHE_FOLLOWS;
}

void cache_lead_on(struct redis *live, const char *key, const char *digest)
{
    char lead[NAME_SIZE];
    snprintf(lead, sizeof(lead), FD_KEY_CACHE_LEAD, key);
    redis_call(live, NULL, NULL, "SET %s %s XX PX %d", lead, digest, FD_CACHE_LEAD_MS);
}

void cache_store(struct redis *live, const char *key, const char *digest, const char *text,
                 size_t len, int life_ms)
{
    char name[NAME_SIZE];
    struct buf value;
    struct fd_json_writer w;
    if (len > CACHE_TEXT_MAX)
        return;
    snprintf(name, sizeof(name), FD_KEY_CACHE, key);
    buf_init(&value, VALUE_MAX);
    buf_json(&value, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "digest", digest);
    fd_jw_key(&w, "text");
    fd_jw_string(&w, text, len);
    fd_jw_end_object(&w);
    if (buf_json_end(&value, &w))
        redis_call(live, NULL, NULL, "SET %s %b PX %d", name, value.data, value.len, life_ms);
    buf_free(&value);
}

void cache_let_go(struct redis *live, const char *key)
{
    char lead[NAME_SIZE];
    snprintf(lead, sizeof(lead), FD_KEY_CACHE_LEAD, key);
    redis_call(live, NULL, NULL, "DEL %s", lead);
}
