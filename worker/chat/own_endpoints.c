#include "chat/own_endpoints.h"

#include <stdlib.h>
#include <string.h>

#define HASH_FUNCTION(key, len, hash) HASH_FNV(key, len, hash)
#include <uthash.h>

#define KEPT_MAX 4096

/* One organisation's; an older one lives on until its last call has ended. */
struct kept {
    struct llm_endpoints endpoints; /* first: what holders point at */
    struct tool_support tools;
    char org[37];
    int64_t revision;
    bool broken;
    unsigned holders;
    bool retired;
    UT_hash_handle hh;
};

struct own_endpoints {
    struct kept *by_org; /* in the order of their making */
};

bool own_endpoints_make(const struct tenant *tenant, struct llm_endpoints *own)
{
    const struct ai_endpoint *from = &tenant->own_chat;
    return from->provider != NULL &&
           llm_endpoints_own(own, from->provider, from->broken ? "" : from->base_url,
                             from->api_key);
}

static void kept_free(struct kept *kept)
{
    llm_endpoints_free(&kept->endpoints);
    free(kept);
}

static void retire(struct own_endpoints *own, struct kept *kept)
{
    HASH_DEL(own->by_org, kept);
    kept->retired = true;
    if (kept->holders == 0)
        kept_free(kept);
}

/* The oldest that nobody holds. */
static void make_room(struct own_endpoints *own)
{
    struct kept *kept, *next;
    HASH_ITER (hh, own->by_org, kept, next) {
        if (HASH_COUNT(own->by_org) < KEPT_MAX)
            return;
        if (kept->holders == 0)
            retire(own, kept);
    }
}

static struct kept *make(struct engine *engine, const struct tenant *tenant)
{
    struct own_endpoints *own = engine->own_endpoints;
    struct kept *kept = calloc(1, sizeof(*kept));
    if (kept == NULL)
        abort();
    if (!own_endpoints_make(tenant, &kept->endpoints)) {
        kept_free(kept);
        return NULL;
    }
    memcpy(kept->org, tenant->org, sizeof(kept->org));
    kept->revision = tenant->own_chat.revision;
    kept->broken = tenant->own_chat.broken;
    kept->tools.configured = engine->tool_support.configured;
    make_room(own);
    HASH_ADD_STR(own->by_org, org, kept);
    return kept;
}

struct llm_endpoints *own_endpoints_hold(struct engine *engine, const struct tenant *tenant)
{
    struct own_endpoints *own = engine->own_endpoints;
    const struct ai_endpoint *wanted = &tenant->own_chat;
    struct kept *kept;
    HASH_FIND_STR(own->by_org, tenant->org, kept);
    if (kept != NULL && (wanted->provider == NULL || kept->revision != wanted->revision ||
                         kept->broken != wanted->broken)) {
        retire(own, kept);
        kept = NULL;
    }
    if (kept == NULL && wanted->provider != NULL)
        kept = make(engine, tenant);
    if (kept == NULL)
        return &engine->endpoints;
    kept->holders++;
    return &kept->endpoints;
}

struct tool_support *own_endpoints_tools(struct engine *engine, struct llm_endpoints *endpoints)
{
    struct kept *kept = (struct kept *)(void *)endpoints;
    return endpoints == &engine->endpoints ? &engine->tool_support : &kept->tools;
}

void own_endpoints_release(struct engine *engine, struct llm_endpoints *endpoints)
{
    struct kept *kept = (struct kept *)(void *)endpoints;
    if (endpoints == NULL || endpoints == &engine->endpoints)
        return;
    kept->holders--;
    if (kept->retired && kept->holders == 0)
        kept_free(kept);
}

struct own_endpoints *own_endpoints_new(void)
{
    struct own_endpoints *own = calloc(1, sizeof(*own));
    if (own == NULL)
        abort();
    return own;
}

void own_endpoints_free(struct own_endpoints *own)
{
    struct kept *kept, *next;
    if (own == NULL)
        return;
    HASH_ITER (hh, own->by_org, kept, next) {
        retire(own, kept);
    }
    free(own);
}
