/* Ai endpoint: whether it answers, and to this key. A provider's own words stay out of it:
 * they may quote the key. */
#include "tenant/ai_endpoint.h"

#include "core/reason.h"
#include "llm/embedding.h"
#include "llm/encode.h"
#include "net/outbound.h"

#include <stdio.h>
#include <string.h>

#define TEST_MS  10000
#define BODY_MAX 4194304

static const struct db_statement keep_statement = {
    "ai_endpoint_keep_test",
    "UPDATE org_ai_endpoints SET last_test = $3::jsonb WHERE org_id = $1::uuid AND kind = $2", 3};

struct test {
    struct arena a;
    const struct ai_endpoint *endpoint;
    enum ai_endpoint_kind kind;
    bool ok;
    int status;
    int64_t ms;
    char detail[256]; /* "" where nothing is to be done */
};

static void judge_vectors(struct test *test, const struct outbound_response *response)
{
    struct embedding_vectors vectors;
    char error[128];

    test->ok = embedding_decode(&test->a, response->body, response->body_len, 1,
                                test->endpoint->dimensions, &vectors, error);
    if (!test->ok) {
        snprintf(test->detail, sizeof(test->detail), "%s", error);
    } else {
        snprintf(test->detail, sizeof(test->detail), "vectors of %d dimensions",
                 vectors.dimensions);
    }
}

static const char *meaning_of(int status)
{
    switch (status) {
    case 401:
    case 403: return "the key was refused";
    case 402: return "the account has no credit";
    case 404: return "there is nothing at this URL; or no such model";
    case 429: return "too many requests, or the quota is used up";
    default: return status >= 500 ? "the server failed" : "the request was refused";
    }
}

static void on_end(void *arg, const struct outbound_response *response)
{
    struct test *test = arg;

    test->status = response->status;
    test->ms = response->ms;
    if (response->failure == OUTBOUND_REDIRECT) { /* its text has the server's own words */
        snprintf(test->detail, sizeof(test->detail), "%s",
                 outbound_failure_name(response->failure));
    } else if (response->failure != OUTBOUND_OK) {
        snprintf(test->detail, sizeof(test->detail), "%s: %.200s",
                 outbound_failure_name(response->failure), response->error);
    } else if (response->status != 200) {
        snprintf(test->detail, sizeof(test->detail), "%s", meaning_of(response->status));
    } else if (test->kind == AI_ENDPOINT_EMBEDDING) {
        judge_vectors(test, response);
    } else {
        test->ok = true;
    }
}

/* What needs the key and costs nothing. */
static const char *path_of(const struct ai_endpoint *endpoint)
{
    if (strcmp(endpoint->provider, "anthropic") == 0) {
        return "/v1/models";
    }
    return strcmp(endpoint->provider, "openrouter") == 0 ? "/key" : "/models";
}

static const char *const *headers_of(struct test *test)
{
    const struct ai_endpoint *endpoint = test->endpoint;

    if (strcmp(endpoint->provider, "anthropic") != 0) {
        return embedding_headers(&test->a, endpoint->api_key);
    }
    const char **list = arena_zalloc(&test->a, 3 * sizeof(*list));
    list[0] = "anthropic-version: 2023-06-01";
    list[1] = endpoint->api_key != NULL
                  ? encode_header(&test->a, "x-api-key", "", endpoint->api_key)
                  : NULL;
    return list;
}

/* The path of a request brings its own /v1. */
static const char *url_of(struct test *test, const char *path)
{
    const char *url = ai_endpoint_url(test->endpoint);
    size_t len = strlen(url);
    bool doubled = strncmp(path, "/v1/", 4) == 0 && len > 3 && strcmp(url + len - 3, "/v1") == 0;

    return arena_printf(&test->a, "%s%s", url, doubled ? path + 3 : path);
}

static void ask(struct test *test, const char *allow)
{
    static const char *const inputs[] = {"Opening hours"};
    const struct embedding_request request = {.model = test->endpoint->model,
                                              .dimensions = test->endpoint->dimensions,
                                              .inputs = inputs,
                                              .count = 1};
    bool embeds = test->kind == AI_ENDPOINT_EMBEDDING;
    struct outbound_options options = {.method = embeds ? "POST" : "GET",
                                       .headers = headers_of(test),
                                       .total_ms = TEST_MS,
                                       .connect_ms = TEST_MS,
                                       .max_body = BODY_MAX};
    struct buf body;

    buf_init(&body, 4096);
    if (embeds && embedding_encode(&request, &body)) {
        options.body = body.data;
        options.body_len = body.len;
    }
    options.url = url_of(test, embeds ? "/embeddings" : path_of(test->endpoint));
    outbound_perform(allow, &options, on_end, test);
    buf_free(&body);
}

static enum db_status keep(struct db *db, const char *org, const struct test *test, struct buf *out)
{
    struct fd_json_writer w;

    buf_reset(out);
    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_member_bool(&w, "ok", test->ok);
    fd_jw_member_int(&w, "ms", test->ms);
    fd_jw_member_int(&w, "status", test->status);
    reason_member(&w, "detail", test->detail[0] != '\0' ? test->detail : NULL);
    fd_jw_end_object(&w);
    if (!buf_json_end(out, &w)) {
        return DB_FAILED;
    }
    const char *params[] = {org, ai_endpoint_kind_name(test->kind), out->data};
    return db_query(db, org, &keep_statement, params, NULL);
}

enum db_status ai_endpoint_test(struct db *db, const struct config *config, const char *org,
                                enum ai_endpoint_kind kind, bool *found, struct buf *out)
{
    struct ai_endpoint list[AI_ENDPOINT_KINDS];
    struct test test = {.kind = kind, .endpoint = &list[kind]};
    struct ai_vectors vectors;

    arena_init(&test.a);
    enum db_status status = ai_endpoints_load(db, &test.a, config->vault_keys, org, list, &vectors);
    *found = status == DB_OK && list[kind].provider != NULL;
    if (*found) {
        if (list[kind].broken) {
            snprintf(test.detail, sizeof(test.detail), "its key cannot be opened: give it again");
        } else {
            ask(&test, config->outbound_allow);
        }
        status = keep(db, org, &test, out);
    }
    arena_wipe(&test.a);
    return status;
}
