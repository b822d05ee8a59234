#include "chat/embed_call.h"

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
    void (*on_end)(void *arg, const struct embed_result *result);
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

/* -- the end -------------------------------------------------------------------------------- */

static void call_free(struct embed_call *call)
{
    buf_free(&call->body);
    free(call);
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
    if (status != 200) {
        read_status(status, result);
    } else if (embedding_decode(&a, body, len, call->count, call->dimensions, &call->vectors,
                                error)) {
        result->vectors = &call->vectors;
    } else {
        snprintf(result->error, sizeof(result->error), "%s", error);
        result->fault = true;
    }
    call->on_end(call->arg, result);
    arena_free(&a);
    call_free(call);
}

static void fail(struct embed_call *call, struct embed_result *result)
{
    result->fault = true;
    call->on_end(call->arg, result);
    call_free(call);
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
    fail(call, &result);
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
    fail(call, &result);
}

/* -- the request ------------------------------------------------------------------------------ */

static bool send_call(struct embed_call *call, struct engine *engine,
                      const struct embed_target *target, const char *url,
                      const char *const *headers, const struct buf *body, int total_ms)
{
    if (target->guarded) {
        const struct outbound_options options = {.method = "POST",
                                                 .url = url,
                                                 .headers = headers,
                                                 .body = body->data,
                                                 .body_len = body->len,
                                                 .connect_ms = total_ms,
                                                 .total_ms = total_ms,
                                                 .max_body = RESPONSE_MAX};
        call->guarded = outbound_start(engine->outbound, &options, on_guarded_end, call);
        return true;
    }
    const struct http_options options = {.method = "POST",
                                         .url = url,
                                         .headers = headers,
                                         .body = body->data,
                                         .body_len = body->len,
                                         .connect_ms = total_ms,
                                         .total_ms = total_ms,
                                         .max_body = RESPONSE_MAX,
                                         .on_data = on_data,
                                         .on_end = on_http_end,
                                         .arg = call};
    call->http = http_start(engine->http, &options);
    return call->http != NULL;
}

struct embed_call *embed_call_start(struct engine *engine, const struct embed_target *target,
                                    const char *const *inputs, size_t count, int total_ms,
                                    void (*on_end)(void *arg, const struct embed_result *result),
                                    void *arg)
{
    const struct embedding_request request = {target->model, target->dimensions, inputs, count};
    struct embed_call *call = calloc(1, sizeof(*call));
    struct buf body;
    struct arena a;
    if (call == NULL)
        abort();
    *call = (struct embed_call){
        .count = count, .dimensions = target->dimensions, .on_end = on_end, .arg = arg};
    buf_init(&call->body, RESPONSE_MAX);
    buf_init(&body, REQUEST_MAX);
    arena_init(&a);
    const char *const *headers = embedding_headers(&a, target->api_key);
    const char *url = arena_printf(&a, "%s/embeddings", target->url);
    bool sent = headers != NULL && embedding_encode(&request, &body) &&
                send_call(call, engine, target, url, headers, &body, total_ms);
    arena_wipe(&a);
    buf_free(&body);
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
