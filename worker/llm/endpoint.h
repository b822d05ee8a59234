/*
 * Endpoint: a provider as configured - protocol, base URL, credential, its three
 * models - and which of them is used, from LLM_PROVIDER and what is set
 * (contracts: "Settings and providers").
 */
#ifndef FD_LLM_ENDPOINT_H
#define FD_LLM_ENDPOINT_H

#include "core/breaker.h"
#include "core/config.h"
#include "llm/provider.h"

struct llm_endpoint {
    const char *name; /* "openrouter", "openai", "anthropic", "ollama", "builtin" */
    const struct llm_protocol *protocol; /* NULL: built-in */
    const char *base_url;
    const char *api_key; /* NULL = none is needed */
    const char *fast_model;
    const char *reasoning_model;
    const char *fallback_model;
    bool of_tenant; /* its URL and key are an organisation's own */
    bool guarded;   /* that URL is no provider's that is known: net/outbound.h reaches it */
    struct breaker breaker;
};

#define LLM_ENDPOINTS_MAX 5

/* In order of preference; the last one is always the built-in. */
struct llm_endpoints {
    struct llm_endpoint list[LLM_ENDPOINTS_MAX];
    size_t count;
    struct arena strings; /* what was not in the configuration */
};

/* False: LLM_PROVIDER names one that is not configured; error says which variable
 * to set. Ollama found running is added later by llm_endpoints_add_ollama(). */
bool llm_endpoints_load(struct llm_endpoints *endpoints, const struct config *config,
                        char error[256]);
/* An organisation's own server in place of all of these, before the built-in. base_url NULL:
 * the provider's; both are copied. api_key NULL: it needs none. False: there is no such
 * provider. */
bool llm_endpoints_own(struct llm_endpoints *endpoints, const char *provider, const char *base_url,
                       const char *api_key);
/* "https://api.openai.com/v1"; NULL: it is not known. */
const char *llm_endpoint_usual_url(const char *provider);
/* What GET /api/tags answered; false if it lists no model to chat with, or LLM_PROVIDER
 * names another. Strings are copied. Moves the built-in: call it before the first job. */
bool llm_endpoints_add_ollama(struct llm_endpoints *endpoints, const struct config *config,
                              const char *tags, size_t len);
/* Where to ask for the tags; NULL: LLM_PROVIDER names another provider. In `a`. */
const char *llm_ollama_tags_url(const struct config *config, struct arena *a);
void llm_endpoints_free(struct llm_endpoints *endpoints);

#endif
