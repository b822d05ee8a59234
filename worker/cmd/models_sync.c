/* frontdesk models sync: the catalogue from a file, or from a provider's /models. */
#include "cmd/models.h"

#include "core/buf.h"
#include "core/file.h"
#include "core/loop.h"
#include "net/http.h"
#include "tenant/catalogue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS    10000
#define TOTAL_MS      60000
#define DEFAULT_DIR   "/usr/local/share/frontdesk/demo" /* FRONTDESK_DEMO_DIR comes before it */
#define LIST_IN_SHARE "%s/../models.json"

static bool complain(const char *what, const char *error)
{
    fprintf(stderr, "frontdesk models: %s: %s\n", what, error);
    return false;
}

/* -- from a URL -------------------------------------------------------------------- */

struct fetch {
    struct loop *loop;
    struct buf body;
    enum http_failure failure;
    int status;
};

static void on_data(void *arg, const char *data, size_t len)
{
    struct fetch *fetch = arg;
    buf_append(&fetch->body, data, len);
}

static void on_end(void *arg, enum http_failure failure, int status, const char *error)
{
    struct fetch *fetch = arg;
    (void)error;
    fetch->failure = failure;
    fetch->status = status;
    loop_stop(fetch->loop);
}

/* A configured provider's key goes to that provider alone. */
static const char *authorization(struct arena *a, const struct config *config, const char *url)
{
    const struct {
        const char *base, *key;
    } known[] = {
        {config->openrouter.base_url != NULL ? config->openrouter.base_url
                                             : "https://openrouter.ai/api/v1",
         config->openrouter.api_key},
        {config->openai.base_url != NULL ? config->openai.base_url : "https://api.openai.com/v1",
         config->openai.api_key}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t len = strlen(known[i].base);
        if (known[i].key != NULL && strncmp(url, known[i].base, len) == 0 && url[len] == '/') {
            return arena_printf(a, "Authorization: Bearer %s", known[i].key);
        }
    }
    return NULL;
}

static bool ask(struct fetch *fetch, struct http_client *client, const struct config *config,
                const char *url)
{
    struct arena a;
    arena_init(&a);
    const char *headers[] = {"Accept: application/json", authorization(&a, config, url), NULL};
    struct http_options options = {.method = "GET",
                                   .url = url,
                                   .headers = headers,
                                   .connect_ms = CONNECT_MS,
                                   .total_ms = TOTAL_MS,
                                   .max_body = CATALOGUE_BYTES_MAX,
                                   .on_data = on_data,
                                   .on_end = on_end,
                                   .arg = fetch};
    bool started = http_start(client, &options) != NULL;
    arena_free(&a);
    if (!started) {
        return complain(url, "is not a URL");
    }
    loop_run(fetch->loop);
    if (fetch->failure != HTTP_OK) {
        return complain(url, http_failure_text(fetch->failure));
    }
    if (fetch->status != 200) {
        fprintf(stderr, "frontdesk models: %s: answered with status %d\n", url, fetch->status);
        return false;
    }
    return true;
}

static const char *read_url(struct arena *a, const struct config *config, const char *url,
                            size_t *len)
{
    struct fetch fetch = {.loop = loop_new()};
    struct http_client *client = http_client_new(fetch.loop);
    const char *json = NULL;

    buf_init(&fetch.body, CATALOGUE_BYTES_MAX);
    if (client != NULL && ask(&fetch, client, config, url)) {
        *len = fetch.body.len;
        json = arena_strndup(a, fetch.body.len > 0 ? fetch.body.data : "", fetch.body.len);
    }
    buf_free(&fetch.body);
    if (client != NULL) {
        http_client_free(client);
    }
    loop_free(fetch.loop);
    return json;
}

/* -- from a file ------------------------------------------------------------------- */

static const char *shipped(struct arena *a)
{
    const char *directory = getenv("FRONTDESK_DEMO_DIR");
    bool set = directory != NULL && directory[0] != '\0';
    return arena_printf(a, LIST_IN_SHARE, set ? directory : DEFAULT_DIR);
}

static const char *read_path(struct arena *a, const char *path, size_t *len)
{
    char error[256];
    const char *json = file_read(a, path, CATALOGUE_BYTES_MAX, len, error);

    if (json == NULL) {
        fprintf(stderr, "frontdesk models: %s\n", error);
    }
    return json;
}

/* -- together ---------------------------------------------------------------------- */

static void report(const struct models_sync *sync, const struct catalogue_list *list,
                   int64_t prices)
{
    const char *date = list->effective_from != NULL ? list->effective_from : "today";

    if (sync->json) {
        printf("{\"models\":%zu,\"prices_changed\":%" PRId64
               ",\"unpriced\":%zu,\"effective_from\":\"%s\"}\n",
               list->count, prices, list->unpriced, date);
        return;
    }
    printf("%zu models, %" PRId64 " prices new or changed, from %s on\n", list->count, prices,
           date);
    if (list->unpriced > 0) {
        printf("%zu without a known price: within a budget they are not used\n", list->unpriced);
    }
}

int models_sync(struct db *db, const struct config *config, const struct models_sync *sync)
{
    const struct catalogue_defaults defaults = {sync->provider, sync->region};
    struct catalogue_list list;
    struct arena a;
    char error[256];
    int64_t prices;
    size_t len;
    int rc = 1;

    arena_init(&a);
    const char *source = sync->url != NULL    ? sync->url
                         : sync->file != NULL ? sync->file
                                              : shipped(&a);
    const char *json =
        sync->url != NULL ? read_url(&a, config, source, &len) : read_path(&a, source, &len);
    if (json == NULL) {
        rc = 1; /* said already */
    } else if (!catalogue_parse(&a, json, len, &defaults, &list, error)) {
        complain(source, error);
    } else if (catalogue_store(db, &list, &prices) != DB_OK) {
        complain("PostgreSQL", db_error(db));
    } else {
        report(sync, &list, prices);
        rc = 0;
    }
    arena_free(&a);
    return rc;
}
