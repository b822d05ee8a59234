#include "chat/endpoints.h"

#include "core/buf.h"
#include "core/loop.h"
#include "net/http.h"

#define TAGS_MS  2000
#define TAGS_MAX 1048576

struct tags {
    struct loop *loop;
    struct buf body;
    bool ok;
};

static void on_data(void *arg, const char *data, size_t len)
{
    struct tags *tags = arg;
    buf_append(&tags->body, data, len);
}

static void on_end(void *arg, enum http_failure failure, int status, const char *error)
{
    struct tags *tags = arg;
    (void)error;
    tags->ok = failure == HTTP_OK && status == 200 && tags->body.len > 0 && !tags->body.over;
    loop_stop(tags->loop);
}

static void ask_ollama(struct llm_endpoints *endpoints, const struct config *config,
                       const char *url)
{
    struct tags tags = {.loop = loop_new()};
    struct http_client *http = http_client_new(tags.loop);
    const struct http_options options = {.method = "GET",
                                         .url = url,
                                         .connect_ms = TAGS_MS,
                                         .total_ms = TAGS_MS,
                                         .max_body = TAGS_MAX,
                                         .on_data = on_data,
                                         .on_end = on_end,
                                         .arg = &tags};
    buf_init(&tags.body, TAGS_MAX);
    if (http != NULL && http_start(http, &options) != NULL)
        loop_run(tags.loop);
    if (tags.ok)
        llm_endpoints_add_ollama(endpoints, config, tags.body.data, tags.body.len);
    buf_free(&tags.body);
    if (http != NULL)
        http_client_free(http);
    loop_free(tags.loop);
}

bool endpoints_find(struct llm_endpoints *endpoints, const struct config *config, char error[256])
{
    struct arena a;

    if (!llm_endpoints_load(endpoints, config, error))
        return false;
    arena_init(&a);
    const char *url = llm_ollama_tags_url(config, &a);
    if (url != NULL)
        ask_ollama(endpoints, config, url);
    arena_free(&a);
    return true;
}
