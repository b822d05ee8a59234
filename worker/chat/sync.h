/*
 * Sync: writes keys, limits and configurations through to Redis, at start, every
 * minute and soon after a store was away; makes the coming month's partition; learns
 * the number of shards.
 */
#ifndef FD_CHAT_SYNC_H
#define FD_CHAT_SYNC_H

#include "chat/engine.h"

struct sync;

/* on_shards is called once: engine->shards is known. */
struct sync *sync_new(struct engine *engine, void (*on_shards)(void *arg), void *arg);
void sync_free(struct sync *sync); /* after the pool */
void sync_soon(struct sync *sync); /* a store is back: it may have lost its memory */

#endif
