#include "tenant/org_cache.h"

#include "core/clock.h"

#include <stdlib.h>
#include <string.h>
/* The default one falls through in a switch, which clang warns of. */
#define HASH_FUNCTION(key, len, hash) HASH_OAT(key, len, hash)
#include <uthash.h>

#define FRESH_MS    60000
#define ENTRIES_MAX 4096

/* value NULL: forgotten. A load that was asked for before `at_ms` must not come in
 * afterwards. */
struct entry {
    char org[37];
    void *value;
    int64_t at_ms; /* loaded or forgotten */
    UT_hash_handle hh;
};

struct org_cache {
    struct entry *entries; /* oldest first */
    void (*unref)(void *value);
    int64_t all_forgotten_ms;
};

struct org_cache *org_cache_new(void (*unref)(void *value))
{
    struct org_cache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL)
        abort();
    cache->unref = unref;
    cache->all_forgotten_ms = INT64_MIN;
    return cache;
}

static void drop(struct org_cache *cache, struct entry *entry)
{
    HASH_DEL(cache->entries, entry);
    if (entry->value != NULL)
        cache->unref(entry->value);
    free(entry);
}

static void drop_all(struct org_cache *cache)
{
    while (cache->entries != NULL)
        drop(cache, cache->entries);
}

void org_cache_free(struct org_cache *cache)
{
    if (cache == NULL)
        return;
    drop_all(cache);
    free(cache);
}

static struct entry *find(const struct org_cache *cache, const char *org)
{
    struct entry *entry;
    HASH_FIND_STR(cache->entries, org, entry);
    return entry;
}

/* In the place of what there was, at the young end; the oldest makes room. */
static void replace(struct org_cache *cache, const char *org, void *value, int64_t at_ms)
{
    struct entry *entry = find(cache, org);
    if (entry != NULL)
        drop(cache, entry);
    else if (HASH_COUNT(cache->entries) >= ENTRIES_MAX)
        drop(cache, cache->entries);
    entry = calloc(1, sizeof(*entry));
    if (entry == NULL)
        abort();
    memcpy(entry->org, org, strnlen(org, sizeof(entry->org) - 1));
    entry->value = value;
    entry->at_ms = at_ms;
    HASH_ADD_STR(cache->entries, org, entry);
}

void *org_cache_get(struct org_cache *cache, const char *org)
{
    struct entry *entry = find(cache, org);
    if (entry == NULL || entry->value == NULL)
        return NULL;
    if (clock_mono_ms() - entry->at_ms > FRESH_MS) {
        drop(cache, entry);
        return NULL;
    }
    return entry->value;
}

void org_cache_put(struct org_cache *cache, const char *org, void *value, int64_t loaded_ms)
{
    const struct entry *entry = find(cache, org);
    if (loaded_ms <= cache->all_forgotten_ms || (entry != NULL && loaded_ms <= entry->at_ms))
        cache->unref(value);
    else
        replace(cache, org, value, loaded_ms);
}

void org_cache_forget(struct org_cache *cache, const char *org)
{
    int64_t now = clock_mono_ms();
    if (org != NULL) {
        replace(cache, org, NULL, now);
        return;
    }
    drop_all(cache);
    cache->all_forgotten_ms = now;
}
