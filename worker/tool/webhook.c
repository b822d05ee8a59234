#include "tool/webhook.h"

#include "core/clock.h"
#include "core/loop.h"
#include "net/outbound.h"
#include "tool/reply.h"
#include "tool/result.h"
#include "tool/webhook_message.h"

#include <stdlib.h>
#include <string.h>

struct webhook {
    struct loop *loop;
    struct outbound *outbound;
};

/* One call, of the loop or of a thread. */
struct webhook_call {
    struct webhook *webhook; /* NULL: on a thread */
    struct arena arena;
    const struct tool *tool;
    const char *arguments;
    struct tool_context context;
    int attempt;
    int64_t began_ms; /* monotonic */
    struct outbound_request *request;
    struct outbound_options options;
    struct tool_result result;
    tool_end_fn *on_end;
    void *arg;
};

/* -- one attempt ----------------------------------------------------------------------------- */

static int time_left(const struct webhook_call *call)
{
    int64_t ms = call->tool->timeout_ms > 0 && call->tool->timeout_ms < WEBHOOK_MS
                     ? call->tool->timeout_ms
                     : WEBHOOK_MS;
    int64_t spent = clock_mono_ms() - call->began_ms;
    int64_t left = call->context.deadline_ms - clock_wall_ms();

    ms -= spent;
    if (call->context.deadline_ms > 0 && left < ms)
        ms = left;
    return ms > 0 ? (int)ms : 0;
}

static bool refuse(struct webhook_call *call, enum tool_failure failure, const char *detail)
{
    tool_result_fail(&call->result, &call->arena, failure, call->tool->risk, NULL, NULL);
    call->result.operator_detail = detail;
    return false;
}

/* False: the call ends here, with call->result. */
static bool prepare(struct webhook_call *call)
{
    const int ms = time_left(call);
    const int64_t now = clock_wall_ms();
    const struct webhook_attempt attempt = {++call->attempt, now, now + ms};
    struct webhook_message message;

    if (ms == 0)
        return refuse(call, TOOL_UNAVAILABLE, "no time was left for it");
    if (!webhook_message(&call->arena, call->tool, call->arguments, &call->context, &attempt,
                         &message))
        return refuse(call, TOOL_ARGUMENTS, "the request would be too large");
    call->options = (struct outbound_options){.method = "POST",
                                              .url = call->tool->url,
                                              .headers = message.headers,
                                              .body = message.body,
                                              .body_len = message.body_len,
                                              .total_ms = ms,
                                              .max_body = WEBHOOK_BODY_MAX};
    return true;
}

static bool may_try_again(const struct webhook_call *call, enum outbound_failure failure)
{
    return webhook_may_repeat(call->tool->risk, call->attempt, failure) && time_left(call) > 0;
}

static struct webhook_call *call_new(struct webhook *webhook, const struct tool *tool,
                                     const char *arguments, const struct tool_context *context)
{
    struct webhook_call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        abort();
    arena_init(&call->arena);
    struct arena *a = &call->arena;
    call->webhook = webhook;
    call->tool = tool;
    call->arguments = arena_strdup(a, arguments);
    call->began_ms = clock_mono_ms();
    call->context = *context;
    call->context.org = arena_strdup(a, context->org);
    call->context.org_name = arena_strdup(a, context->org_name);
    call->context.session = arena_strdup(a, context->session);
    call->context.conversation_id = arena_strdup(a, context->conversation_id);
    call->context.job_id = arena_strdup(a, context->job_id);
    call->context.call_id = arena_strdup(a, context->call_id);
    call->context.language = arena_strdup(a, context->language);
    call->context.channel = arena_strdup(a, context->channel);
    call->context.user_id = arena_strdup(a, context->user_id);
    call->context.user_email = arena_strdup(a, context->user_email);
    call->context.callback_url = arena_strdup(a, context->callback_url);
    return call;
}

static void call_free(struct webhook_call *call)
{
    arena_wipe(&call->arena); /* a header is the tool's token */
    free(call);
}

/* -- on the loop ----------------------------------------------------------------------------- */

static void end(void *arg)
{
    struct webhook_call *call = arg;

    call->result.ms = clock_mono_ms() - call->began_ms;
    call->on_end(call->arg, &call->result);
    call_free(call);
}

static void on_response(void *arg, const struct outbound_response *response)
{
    struct webhook_call *call = arg;
    struct webhook *webhook = call->webhook;

    call->request = NULL;
    if (may_try_again(call, response->failure) && prepare(call)) {
        call->request = outbound_start(webhook->outbound, &call->options, on_response, call);
        return;
    }
    reply_read(&call->arena, call->tool, response, &call->result);
    end(call);
}

static void *start(void *self, const struct tool *tool, const char *arguments,
                   const struct tool_context *context, tool_end_fn *on_end, void *arg)
{
    struct webhook *webhook = self;
    struct webhook_call *call = call_new(webhook, tool, arguments, context);

    call->on_end = on_end;
    call->arg = arg;
    if (prepare(call))
        call->request = outbound_start(webhook->outbound, &call->options, on_response, call);
    else
        loop_defer(webhook->loop, end, call);
    return call;
}

static void cancel(void *self, void *running)
{
    struct webhook *webhook = self;
    struct webhook_call *call = running;

    if (call->request != NULL)
        outbound_cancel(call->request);
    else
        loop_undefer(webhook->loop, end, call);
    call_free(call);
}

struct webhook *webhook_new(struct loop *loop, struct outbound *outbound)
{
    struct webhook *webhook = malloc(sizeof(*webhook));

    if (webhook == NULL)
        abort();
    *webhook = (struct webhook){loop, outbound};
    return webhook;
}

void webhook_free(struct webhook *webhook)
{
    free(webhook);
}

struct tool_executor webhook_executor(struct webhook *webhook)
{
    return (struct tool_executor){start, cancel, webhook};
}

/* -- on a thread ----------------------------------------------------------------------------- */

struct performance {
    struct webhook_call *call;
    struct arena *a;
    struct tool_result *result;
    struct wire *wire;
    bool again;
};

static void on_performed(void *arg, const struct outbound_response *response)
{
    struct performance *p = arg;

    wire_came(p->wire, p->a, response);
    p->again = may_try_again(p->call, response->failure);
    if (!p->again)
        reply_read(p->a, p->call->tool, response, p->result);
}

void webhook_perform(const char *allow, const struct tool *tool, const char *arguments,
                     const struct tool_context *context, struct arena *a,
                     struct tool_result *result, struct wire *wire)
{
    struct webhook_call *call = call_new(NULL, tool, arguments, context);
    struct performance p = {.call = call, .a = a, .result = result, .wire = wire};

    do {
        p.again = false;
        if (prepare(call)) {
            wire_sent(wire, a, &call->options,
                      tool->webhook != NULL ? tool->webhook->token_header : NULL);
            outbound_perform(allow, &call->options, on_performed, &p);
        } else {
            *result = call->result;
            result->json = arena_strdup(a, call->result.json);
            result->operator_detail = arena_strdup(a, call->result.operator_detail);
        }
    } while (p.again);
    result->ms = clock_mono_ms() - call->began_ms;
    call_free(call);
}
