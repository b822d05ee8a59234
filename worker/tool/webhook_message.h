/* What a webhook is sent: the headers and the JSON body of docs/tools.md. Pure. */
#ifndef FD_TOOL_WEBHOOK_MESSAGE_H
#define FD_TOOL_WEBHOOK_MESSAGE_H

#include "core/arena.h"
#include "net/outbound.h"
#include "tool/webhook.h"

struct webhook_message {
    const char *const *headers; /* NULL at the end */
    const char *body;
    size_t body_len;
};

struct webhook_attempt {
    int number;          /* 1, 2 */
    int64_t now_ms;      /* unix */
    int64_t deadline_ms; /* unix: when we stop to wait */
};

/* The same for every attempt at one call, whatever a provider calls its calls. */
const char *webhook_idempotency_key(struct arena *a, const struct tool_context *context);

/* False: too large. */
bool webhook_message(struct arena *a, const struct tool *tool, const char *arguments,
                     const struct tool_context *context, const struct webhook_attempt *attempt,
                     struct webhook_message *message);

/* After a failed attempt: nothing was sent, and it only reads. */
bool webhook_may_repeat(enum tool_risk risk, int attempts, enum outbound_failure failure);

#endif
