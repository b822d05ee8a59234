#include "tenant/tenant.h"

#include "core/clock.h"

#include <stdlib.h>
#include <string.h>
/* The default one falls through in a switch, which clang warns of. */
#define HASH_FUNCTION(key, len, hash) HASH_OAT(key, len, hash)
#include <uthash.h>

#define FRESH_MS    60000
#define ENTRIES_MAX 4096

/* tenant NULL: forgotten at `forgotten_ms`; a load that was asked for before must not
 * come in afterwards. */
struct entry {
    char org[37];
    struct tenant *tenant;
    int64_t forgotten_ms;
    UT_hash_handle hh;
};

struct tenant_cache {
    struct entry *entries; /* oldest first */
    int64_t all_forgotten_ms;
};

struct tenant_cache *tenant_cache_new(void)
{
    struct tenant_cache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL) {
        abort();
    }
    cache->all_forgotten_ms = INT64_MIN;
    return cache;
}

static void drop(struct tenant_cache *cache, struct entry *entry)
{
    HASH_DEL(cache->entries, entry);
    tenant_unref(entry->tenant);
    free(entry);
}

static void drop_all(struct tenant_cache *cache)
{
    while (cache->entries != NULL) {
        drop(cache, cache->entries);
    }
}

void tenant_cache_free(struct tenant_cache *cache)
{
    if (cache != NULL) {
        drop_all(cache);
        free(cache);
    }
}

static struct entry *find(struct tenant_cache *cache, const char *org)
{
    struct entry *entry;
    HASH_FIND_STR(cache->entries, org, entry);
    return entry;
}

/* A new entry at the young end; the oldest makes room. */
static struct entry *add(struct tenant_cache *cache, const char *org)
{
    if (HASH_COUNT(cache->entries) >= ENTRIES_MAX) {
        drop(cache, cache->entries);
    }
    struct entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL) {
        abort();
    }
    memcpy(entry->org, org, strnlen(org, sizeof(entry->org) - 1));
    entry->forgotten_ms = INT64_MIN;
    HASH_ADD_STR(cache->entries, org, entry);
    return entry;
}

struct tenant *tenant_cache_get(struct tenant_cache *cache, const char *org)
{
    struct entry *entry = find(cache, org);

    if (entry == NULL || entry->tenant == NULL) {
        return NULL;
    }
    if (clock_mono_ms() - entry->tenant->loaded_ms > FRESH_MS) {
        drop(cache, entry);
        return NULL;
    }
    return tenant_ref(entry->tenant);
}

void tenant_cache_put(struct tenant_cache *cache, struct tenant *tenant)
{
    struct entry *entry = find(cache, tenant->org);

    if (tenant->loaded_ms <= cache->all_forgotten_ms ||
        (entry != NULL && tenant->loaded_ms <= entry->forgotten_ms)) {
        return;
    }
    if (entry != NULL) {
        drop(cache, entry);
    }
    entry = add(cache, tenant->org);
    entry->tenant = tenant_ref(tenant);
}

void tenant_cache_forget(struct tenant_cache *cache, const char *org)
{
    int64_t now = clock_mono_ms();

    if (org == NULL) {
        drop_all(cache);
        cache->all_forgotten_ms = now;
        return;
    }
    struct entry *entry = find(cache, org);
    if (entry != NULL) {
        drop(cache, entry);
    }
    add(cache, org)->forgotten_ms = now;
}
