/*
 * Webhook: a tool that is a signed POST to n8n or anything that speaks HTTP
 * (docs/tools.md). What is sent and what is made of the reply are pure; the executor
 * carries them over net/outbound.h.
 */
#ifndef FD_TOOL_WEBHOOK_H
#define FD_TOOL_WEBHOOK_H

#include "tool/tool.h"
#include "tool/wire.h"

#define WEBHOOK_MS       30000 /* the longest that one call may take */
#define WEBHOOK_BODY_MAX 2097152

/* What a webhook needs besides its URL. */
struct tool_webhook {
    const char *secret; /* of the signature; NULL = none */
    const char *token;  /* the value of a header; NULL = none */
    const char *token_header;
    bool acknowledgement; /* an empty 2xx is enough: the tool has nothing to tell */
};

struct webhook; /* the executor's self; one a loop */
struct webhook *webhook_new(struct loop *loop, struct outbound *outbound);
void webhook_free(struct webhook *webhook);
struct tool_executor webhook_executor(struct webhook *webhook);

/* The same, for a pool thread or a command: returns when the call ended. The result's
 * texts are in the arena. `allow` as outbound_new() takes it. */
void webhook_perform(const char *allow, const struct tool *tool, const char *arguments,
                     const struct tool_context *context, struct arena *a,
                     struct tool_result *result, struct wire *wire);

#endif
