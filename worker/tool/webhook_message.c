#include "tool/webhook_message.h"

#include "core/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#define MESSAGE_MAX 524288
#define HEADERS     8
#define KEY_MAX     160

const char *webhook_idempotency_key(struct arena *a, const struct tool_context *context)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
    const char *key = arena_printf(a, "%s:%s", context->job_id, context->call_id);
    unsigned char hash[24];
    char hex[2 * sizeof(hash) + 1];

    if (strlen(key) <= KEY_MAX && key[strspn(key, plain)] == '\0')
        return key;
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)key, strlen(key), NULL, 0);
    return arena_strdup(a, sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)));
}

static void write_visitor(struct fd_json_writer *w, const struct tool_context *context)
{
    fd_jw_key(w, "visitor");
    fd_jw_object(w);
    fd_jw_member(w, "id", context->user_id);
    fd_jw_member_bool(w, "verified", context->user_id != NULL && context->user_verified);
    fd_jw_member(w, "locale", context->language);
    fd_jw_end_object(w);
}

static bool write_body(struct buf *body, const struct tool *tool, const char *arguments,
                       const struct tool_context *context, const char *key,
                       const struct webhook_attempt *attempt)
{
    struct fd_json_writer w;

    buf_json(body, &w);
    fd_jw_object(&w);
    fd_jw_member_int(&w, "v", 1);
    fd_jw_member(&w, "call_id", context->call_id);
    fd_jw_member(&w, "idempotency_key", key);
    fd_jw_member(&w, "client_id", context->org);
    fd_jw_member(&w, "session_id", context->session);
    fd_jw_member(&w, "conversation_id", context->conversation_id);
    fd_jw_member(&w, "tool", tool->name);
    fd_jw_member_raw(&w, "args", arguments);
    write_visitor(&w, context);
    fd_jw_member(&w, "channel", context->channel);
    fd_jw_member_int(&w, "attempt", attempt->number);
    fd_jw_member_int(&w, "deadline_ms", attempt->deadline_ms);
    fd_jw_member(&w, "callback_url", context->callback_url);
    fd_jw_end_object(&w);
    return buf_json_end(body, &w);
}

bool webhook_message(struct arena *a, const struct tool *tool, const char *arguments,
                     const struct tool_context *context, const struct webhook_attempt *attempt,
                     struct webhook_message *message)
{
    const struct tool_webhook *hook = tool->webhook;
    const char **headers = arena_zalloc(a, HEADERS * sizeof(*headers));
    const char *key = webhook_idempotency_key(a, context);
    int64_t now_s = attempt->now_ms / 1000;
    char signature[OUTBOUND_SIGNATURE_SIZE];
    struct buf body;
    size_t count = 0;

    buf_init(&body, MESSAGE_MAX);
    bool fits = write_body(&body, tool, arguments, context, key, attempt);
    if (fits) {
        message->body = arena_strndup(a, body.data, body.len);
        message->body_len = body.len;
        headers[count++] = "Content-Type: application/json";
        headers[count++] = "Accept: application/json";
        headers[count++] = arena_printf(a, "Idempotency-Key: %s", key);
        headers[count++] = arena_printf(a, "X-Frontdesk-Timestamp: %" PRId64, now_s);
        if (hook->secret != NULL) {
            outbound_sign(signature, hook->secret, now_s, message->body, message->body_len);
            headers[count++] = arena_printf(a, "X-Frontdesk-Signature: %s", signature);
        }
        if (hook->token != NULL)
            headers[count++] = arena_printf(a, "%s: %s", hook->token_header, hook->token);
        message->headers = headers;
    }
    buf_free(&body);
    return fits;
}

bool webhook_may_repeat(enum tool_risk risk, int attempts, enum outbound_failure failure)
{
    return risk == TOOL_READ && attempts == 1 &&
           (failure == OUTBOUND_RESOLVE || failure == OUTBOUND_CONNECT);
}
