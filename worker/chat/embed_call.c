#include "chat/embed_call.h"

#include "core/loop.h"
#include "net/http.h"
#include "net/outbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX  4194304
#define RESPONSE_MAX 8388608 /* 64 vectors of 4,096 numbers as text */

struct embed_call {
    size_t count;
    int dimensions;
    struct http_request *http; /* of these one is set */
    struct outbound_request *guarded;
    struct buf body; /* of the response */
    struct embedding_vectors vectors;
    struct loop *loop; /* of embed_call_perform(): stopped at the end */
    embed_end_fn *on_end;
    void *arg;
};

bool embed_target_of(struct arena *a, const struct config *config, const struct tenant *tenant,
                     struct embed_target *target)
{
    const struct ai_endpoint *own = &tenant->own_embedding;
    if (own->provider != NULL) {
        *target = (struct embed_target){.provider = own->provider,
                                        .url = ai_endpoint_url(own),
                                        .api_key = own->api_key,
                                        .model = own->model,
                                        .dimensions = own->dimensions,
                                        .own_key = true,
                                        .guarded = own->base_url != NULL};
    } else {
        const char *url = config->openai.base_url;
        *target = (struct embed_target){.provider = "openai",
                                        .url = url != NULL ? url : llm_endpoint_usual_url("openai"),
                                        .api_key = config->openai.api_key,
                                        .model = config->embedding_model};
    }
    if (target->model == NULL || own->broken || !tenant_region_allows(tenant, target->model))
        return false;
    target->name = target->dimensions > 0
                       ? arena_printf(a, "%s/%d", target->model, target->dimensions)
                       : target->model;
    return true;
}

/* -- what it costs ---------------------------------------------------------------------------- */

bool embed_may_spend(const struct tenant *tenant, const char *model)
{
    const struct tenant_model *facts = tenant_model(tenant, model);
    return !tenant->capped ||
           (facts != NULL && facts->input >= 0 && tenant->budget_used_percent < 100);
}

bool embed_cost(const struct embed_target *target, const struct embed_result *result,
                int64_t estimated, struct answer_attempt *attempt)
{
    bool known = result != NULL && result->vectors != NULL && result->vectors->tokens >= 0;
    if (result != NULL && !result->charged)
        return false;
    *attempt = (struct answer_attempt){
        .provider = target->provider,
        .model = target->model,
        .usage = {.input = known ? result->vectors->tokens : estimated, .cost_micro = -1},
        .estimated = !known,
        .own_key = target->own_key};
    return true;
}

/* -- the end -------------------------------------------------------------------------------- */

static void call_free(struct embed_call *call)
{
    buf_free(&call->body);
    free(call);
}

static void tell(struct embed_call *call, const struct embed_result *result)
{
    call->on_end(call->arg, result);
    if (call->loop != NULL)
        loop_stop(call->loop);
    call_free(call);
}

static void read_status(int status, struct embed_result *result)
{
    snprintf(result->error, sizeof(result->error), "HTTP status %d", status);
    result->fault = status == 401 || status == 402 || status == 403 || status >= 500;
}

static void finish(struct embed_call *call, int status, struct embed_result *result,
                   const char *body, size_t len)
{
    struct arena a;
    arena_init(&a);
    char error[128];
    result->charged = status == 200;
    if (status != 200) {
        read_status(status, result);
    } else if (embedding_decode(&a, body, len, call->count, call->dimensions, &call->vectors,
                                error)) {
        result->vectors = &call->vectors;
    } else {
        snprintf(result->error, sizeof(result->error), "%s", error);
        result->fault = true;
    }
    tell(call, result);
    arena_free(&a);
}

static void fail(struct embed_call *call, bool charged, struct embed_result *result)
{
    result->fault = true;
    result->charged = charged;
    tell(call, result);
}

static int64_t seconds(const char *value)
{
    long long number = value != NULL ? strtoll(value, NULL, 10) : 0;
    return number > 0 ? number : 0;
}

static void on_data(void *arg, const char *data, size_t len)
{
    struct embed_call *call = arg;
    buf_append(&call->body, data, len);
}

static void on_http_end(void *arg, enum http_failure failure, int status, const char *error)
{
    struct embed_call *call = arg;
    struct embed_result result = {.retry_after_s = seconds(http_header(call->http, "retry-after"))};
    const char *body = call->body.data != NULL ? call->body.data : "";
    (void)error;
    if (failure == HTTP_OK) {
        finish(call, status, &result, body, call->body.len);
        return;
    }
    snprintf(result.error, sizeof(result.error), "%s", http_failure_text(failure));
    fail(call, http_was_sent(failure), &result);
}

static void on_guarded_end(void *arg, const struct outbound_response *response)
{
    struct embed_call *call = arg;
    struct embed_result result = {.retry_after_s =
                                      response->retry_after_s > 0 ? response->retry_after_s : 0};
    if (response->failure == OUTBOUND_OK) {
        finish(call, response->status, &result, response->body, response->body_len);
        return;
    }
    /* Of a redirect the text has the address, which is the server's own words. */
    bool redirected = response->failure == OUTBOUND_REDIRECT;
    snprintf(result.error, sizeof(result.error), "%s%s%.150s",
             outbound_failure_name(response->failure), redirected ? "" : ": ",
             redirected ? "" : response->error);
    fail(call, response->sent && !redirected, &result);
}

/* -- the request ------------------------------------------------------------------------------ */

struct message {
    struct arena arena; /* of the headers and the URL; the key is in it */
    const char *url;
    const char *const *headers;
    struct buf body;
    int total_ms;
};

static bool write_message(struct message *m, const struct embed_target *target,
                          const char *const *inputs, size_t count, int total_ms)
{
    const struct embedding_request request = {target->model, target->dimensions, inputs, count};
    m->total_ms = total_ms;
    arena_init(&m->arena);
    buf_init(&m->body, REQUEST_MAX);
    m->headers = embedding_headers(&m->arena, target->api_key);
    m->url = arena_printf(&m->arena, "%s/embeddings", target->url);
    return m->headers != NULL && embedding_encode(&request, &m->body);
}

static void message_free(struct message *m)
{
    arena_wipe(&m->arena);
    buf_free(&m->body);
}

static struct outbound_options guarded_options(const struct message *m)
{
    return (struct outbound_options){.method = "POST",
                                     .url = m->url,
                                     .headers = m->headers,
                                     .body = m->body.data,
                                     .body_len = m->body.len,
                                     .connect_ms = m->total_ms,
                                     .total_ms = m->total_ms,
                                     .max_body = RESPONSE_MAX};
}

static bool send_plain(struct embed_call *call, struct http_client *http, const struct message *m)
{
    const struct http_options options = {.method = "POST",
                                         .url = m->url,
                                         .headers = m->headers,
                                         .body = m->body.data,
                                         .body_len = m->body.len,
                                         .connect_ms = m->total_ms,
                                         .total_ms = m->total_ms,
                                         .max_body = RESPONSE_MAX,
                                         .on_data = on_data,
                                         .on_end = on_http_end,
                                         .arg = call};
    call->http = http_start(http, &options);
    return call->http != NULL;
}

static struct embed_call *call_new(const struct embed_target *target, size_t count,
                                   embed_end_fn *on_end, void *arg)
{
    struct embed_call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        abort();
    *call = (struct embed_call){
        .count = count, .dimensions = target->dimensions, .on_end = on_end, .arg = arg};
    buf_init(&call->body, RESPONSE_MAX);
    return call;
}

struct embed_call *embed_call_start(struct engine *engine, const struct embed_target *target,
                                    const char *const *inputs, size_t count, int total_ms,
                                    embed_end_fn *on_end, void *arg)
{
    struct embed_call *call = call_new(target, count, on_end, arg);
    struct message message;
    bool sent = write_message(&message, target, inputs, count, total_ms);
    if (sent && target->guarded) {
        const struct outbound_options options = guarded_options(&message);
        call->guarded = outbound_start(engine->outbound, &options, on_guarded_end, call);
    } else if (sent) {
        sent = send_plain(call, engine->http, &message);
    }
    message_free(&message);
    if (sent)
        return call;
    call_free(call);
    return NULL;
}

void embed_call_cancel(struct embed_call *call)
{
    if (call->http != NULL)
        http_cancel(call->http);
    if (call->guarded != NULL)
        outbound_cancel(call->guarded);
    call_free(call);
}

/* -- without a loop of one's own ----------------------------------------------------------------
 */

static bool perform_plain(struct embed_call *call, const struct message *message)
{
    struct loop *loop = loop_new();
    struct http_client *http = http_client_new(loop);
    bool sent = false;
    call->loop = loop;
    if (http != NULL) {
        sent = send_plain(call, http, message);
        if (sent)
            loop_run(loop);
        http_client_free(http);
    }
    loop_free(loop);
    return sent;
}

void embed_call_perform(const struct config *config, const struct embed_target *target,
                        const char *const *inputs, size_t count, int total_ms, embed_end_fn *on_end,
                        void *arg)
{
    struct embed_call *call = call_new(target, count, on_end, arg);
    struct message message;
    bool sent = write_message(&message, target, inputs, count, total_ms);
    if (sent && target->guarded) {
        const struct outbound_options options = guarded_options(&message);
        outbound_perform(config->outbound_allow, &options, on_guarded_end, call);
    } else if (sent) {
        sent = perform_plain(call, &message);
    }
    message_free(&message);
    if (sent)
        return;
    const struct embed_result result = {.error = "the request cannot be sent"};
    on_end(arg, &result);
    call_free(call);
}
