/*
 * Embedder: makes the vectors of sections that are new or changed (ENG-5), in the background:
 * one organisation at a time, a batch at a time, paid like every call of a model. What is
 * stored stays; whoever takes over goes on from there. On the loop.
 */
#ifndef FD_CHAT_EMBEDDER_H
#define FD_CHAT_EMBEDDER_H

#include "chat/engine.h"

struct embedder;

struct embedder *embedder_new(struct engine *engine);
void embedder_stop(struct embedder *embedder); /* begins nothing any more, hangs up */
void embedder_free(struct embedder *embedder); /* once the pool is gone */

#endif
