/*
 * Org cache: what was loaded of an organisation, by the organisation's id. Loop thread.
 * An entry is served for at most 60 s after it was loaded and never after
 * org_cache_forget().
 */
#ifndef FD_TENANT_ORG_CACHE_H
#define FD_TENANT_ORG_CACHE_H

#include <stdint.h>

struct org_cache;

/* `unref` gives up one reference to a value. */
struct org_cache *org_cache_new(void (*unref)(void *value));
void org_cache_free(struct org_cache *cache);
/* The cache's own reference, which the next call may give up; or NULL. */
void *org_cache_get(struct org_cache *cache, const char *org);
/* Takes the reference; gives it up at once where something newer than loaded_ms
 * (monotonic, from before the load) is there or was forgotten. */
void org_cache_put(struct org_cache *cache, const char *org, void *value, int64_t loaded_ms);
void org_cache_forget(struct org_cache *cache, const char *org); /* NULL: all */

#endif
