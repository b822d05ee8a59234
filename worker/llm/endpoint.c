#include "llm/endpoint.h"

#include "protocol/limits.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define OLLAMA_URL "http://127.0.0.1:11434"

/* What a provider is before anything is configured; in the order of preference. */
struct known {
    const char *name;
    const struct llm_protocol *protocol;
    const char *base_url;
    const char *fast_model, *reasoning_model, *fallback_model;
    size_t settings;        /* offset of its part of struct config */
    bool works_without_key; /* with a base URL of one's own: vLLM, llama.cpp, a proxy */
    const char *variables;  /* what to set */
};

static const struct known known[] = {
    {.name = "openrouter",
     .protocol = &llm_openai,
     .base_url = "https://openrouter.ai/api/v1",
     .fast_model = "openai/gpt-4.1-mini",
     .reasoning_model = "anthropic/claude-sonnet-4",
     .fallback_model = "google/gemini-2.0-flash-001",
     .settings = offsetof(struct config, openrouter),
     .variables = "OPENROUTER_API_KEY"},
    {.name = "openai",
     .protocol = &llm_openai,
     .base_url = "https://api.openai.com/v1",
     .fast_model = "gpt-4.1-mini",
     .reasoning_model = "gpt-4.1",
     .fallback_model = "gpt-4o-mini",
     .settings = offsetof(struct config, openai),
     .works_without_key = true,
     .variables = "OPENAI_API_KEY (or OPENAI_BASE_URL for a server that needs no key)"},
    {.name = "anthropic",
     .protocol = &llm_anthropic,
     .base_url = "https://api.anthropic.com",
     .fast_model = "claude-haiku-4-5",
     .reasoning_model = "claude-sonnet-4-6",
     .fallback_model = "claude-opus-4-8",
     .settings = offsetof(struct config, anthropic),
     .works_without_key = true,
     .variables = "ANTHROPIC_API_KEY (or ANTHROPIC_BASE_URL for a server that needs no key)"},
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

static const struct llm_endpoint builtin = {.name = "builtin",
                                            .base_url = "",
                                            .fast_model = "builtin",
                                            .reasoning_model = "builtin",
                                            .fallback_model = "builtin"};

static const char *or_else(const char *set, const char *otherwise)
{
    return set != NULL ? set : otherwise;
}

static void append(struct llm_endpoints *endpoints, const struct llm_endpoint *endpoint)
{
    endpoints->list[endpoints->count++] = *endpoint;
}

/* The path of a request brings its own /v1; people write it into the base URL, too. */
static const char *without_version(struct arena *a, const char *url)
{
    size_t len = strlen(url);
    bool versioned = len > 3 && strcmp(url + len - 3, "/v1") == 0;
    return versioned ? arena_strndup(a, url, len - 3) : url;
}

static bool add_known(struct llm_endpoints *endpoints, const struct config *config,
                      const struct known *k)
{
    const struct config_provider *set =
        (const struct config_provider *)((const char *)config + k->settings);
    if (set->api_key == NULL && !(k->works_without_key && set->base_url != NULL)) {
        return false;
    }
    const char *url = or_else(set->base_url, k->base_url);
    if (k->protocol == &llm_anthropic) {
        url = without_version(&endpoints->strings, url);
    }
    append(endpoints, &(struct llm_endpoint){
                          .name = k->name,
                          .protocol = k->protocol,
                          .base_url = url,
                          .api_key = set->api_key,
                          .fast_model = or_else(set->fast_model, k->fast_model),
                          .reasoning_model = or_else(set->reasoning_model, k->reasoning_model),
                          .fallback_model = or_else(set->fallback_model, k->fallback_model)});
    return true;
}

static struct llm_endpoint ollama_of(const struct config *config, const char *fast,
                                     const char *reasoning)
{
    const struct config_provider *set = &config->ollama;
    fast = or_else(set->fast_model, fast);
    reasoning = or_else(set->reasoning_model, or_else(reasoning, fast));
    return (struct llm_endpoint){.name = "ollama",
                                 .protocol = &llm_ollama,
                                 .base_url = or_else(set->base_url, OLLAMA_URL),
                                 .api_key = set->api_key,
                                 .fast_model = fast,
                                 .reasoning_model = reasoning,
                                 .fallback_model = or_else(set->fallback_model, fast)};
}

static const char *provider_of(const struct config *config)
{
    const char *name = or_else(config->llm_provider, "auto");
    return strcmp(name, "claude") == 0 ? "anthropic" : name;
}

/* A provider named by the operator stands alone before the built-in: where text may
 * go is not for a forgotten variable to decide. */
static bool wants(const struct config *config, const char *name)
{
    const char *provider = provider_of(config);
    return strcmp(provider, "auto") == 0 || strcmp(provider, name) == 0;
}

bool llm_endpoints_load(struct llm_endpoints *endpoints, const struct config *config,
                        char error[256])
{
    *endpoints = (struct llm_endpoints){0};
    arena_init(&endpoints->strings);
    const char *provider = provider_of(config);
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (!wants(config, known[i].name) || add_known(endpoints, config, &known[i])) {
            continue;
        }
        if (strcmp(provider, known[i].name) == 0) {
            (void)snprintf(error, 256, "LLM_PROVIDER is %s, but it is not configured: set %s",
                           provider, known[i].variables);
            return false;
        }
    }
    /* Without a model named, what it can do is known once it was asked. */
    if (wants(config, "ollama") && config->ollama.fast_model != NULL) {
        struct llm_endpoint ollama = ollama_of(config, NULL, NULL);
        append(endpoints, &ollama);
    }
    append(endpoints, &builtin);
    return true;
}

static const struct known *find_known(const char *provider)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (strcmp(known[i].name, provider) == 0) {
            return &known[i];
        }
    }
    return NULL;
}

const char *llm_endpoint_usual_url(const char *provider)
{
    const struct known *k = find_known(provider);
    return k != NULL ? k->base_url : NULL;
}

bool llm_endpoints_own(struct llm_endpoints *endpoints, const char *provider, const char *base_url,
                       const char *api_key)
{
    const struct known *k = find_known(provider);
    *endpoints = (struct llm_endpoints){0};
    arena_init(&endpoints->strings);
    if (k == NULL) {
        return false;
    }
    const char *url = arena_strdup(&endpoints->strings, or_else(base_url, k->base_url));
    if (k->protocol == &llm_anthropic) {
        url = without_version(&endpoints->strings, url);
    }
    append(endpoints, &(struct llm_endpoint){.name = k->name,
                                             .protocol = k->protocol,
                                             .base_url = url,
                                             .api_key = arena_strdup(&endpoints->strings, api_key),
                                             .fast_model = k->fast_model,
                                             .reasoning_model = k->reasoning_model,
                                             .fallback_model = k->fallback_model,
                                             .of_tenant = true,
                                             .guarded = base_url != NULL});
    append(endpoints, &builtin);
    return true;
}

const char *llm_ollama_tags_url(const struct config *config, struct arena *a)
{
    if (!wants(config, "ollama")) {
        return NULL;
    }
    return arena_printf(a, "%s/api/tags", or_else(config->ollama.base_url, OLLAMA_URL));
}

static bool is_chat_model(const struct fd_json *model)
{
    const char *name = fd_json_string(model, "name");
    if (name == NULL || *name == '\0' || strlen(name) > FD_MODEL_ID_MAX) {
        return false;
    }
    const char *family = fd_json_string(fd_json_get(model, "details"), "family");
    bool embeds =
        strstr(name, "embed") != NULL || (family != NULL && strstr(family, "bert") != NULL);
    return !embeds;
}

/* The smallest answers fastest, the largest reasons best. */
static void choose_models(const struct fd_json *models, const char **fast, const char **reasoning)
{
    int64_t smallest = INT64_MAX, largest = -1;
    for (const struct fd_json *m = models != NULL ? models->child : NULL; m != NULL; m = m->next) {
        int64_t size = fd_json_int(m, "size", 0);
        if (!is_chat_model(m)) {
            continue;
        }
        if (size < smallest) {
            smallest = size;
            *fast = fd_json_string(m, "name");
        }
        if (size > largest) {
            largest = size;
            *reasoning = fd_json_string(m, "name");
        }
    }
}

static void put_ollama(struct llm_endpoints *endpoints, const struct llm_endpoint *ollama)
{
    for (size_t i = 0; i < endpoints->count; i++) {
        if (strcmp(endpoints->list[i].name, "ollama") == 0) {
            endpoints->list[i] = *ollama;
            return;
        }
    }
    endpoints->list[endpoints->count - 1] = *ollama;
    append(endpoints, &builtin);
}

bool llm_endpoints_add_ollama(struct llm_endpoints *endpoints, const struct config *config,
                              const char *tags, size_t len)
{
    if (!wants(config, "ollama")) {
        return false;
    }
    struct arena arena;
    struct fd_json_fault fault;
    const char *fast = NULL, *reasoning = NULL;
    arena_init(&arena);
    const struct fd_json *root = fd_json_parse(tags, len, (struct fd_json_limits){.nodes = 65536},
                                               arena_allocator(&arena), &fault);
    choose_models(fd_json_get(root, "models"), &fast, &reasoning);
    if (fast != NULL) {
        struct llm_endpoint ollama = ollama_of(config, arena_strdup(&endpoints->strings, fast),
                                               arena_strdup(&endpoints->strings, reasoning));
        put_ollama(endpoints, &ollama);
    }
    arena_free(&arena);
    return fast != NULL;
}

void llm_endpoints_free(struct llm_endpoints *endpoints)
{
    arena_wipe(&endpoints->strings); /* keys of organisations are among them */
    endpoints->count = 0;
}
