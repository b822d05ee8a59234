/*
 * Route JSON: how a question was routed, for whoever is told of it: an answer, the
 * message's row, a dry run, the command line.
 */
#ifndef FD_CHAT_ROUTE_JSON_H
#define FD_CHAT_ROUTE_JSON_H

#include "context/chunk.h"
#include "route/model.h"
#include "route/route.h"
#include "protocol/json.h"

/* The members {tier, intent, reasons, version, grounding?, split?, arm?, trial?}, into an open
 * object. */
void route_write(struct fd_json_writer *w, const struct route *route);
/* The member "chunks": [{index, estimated_tokens, snippet_ids}] */
void route_write_chunks(struct fd_json_writer *w, const struct chunk_set *set);
/* ["words", "title", ...]: why a snippet was found (enum snippet_reason) */
void route_write_found(struct fd_json_writer *w, unsigned reasons);
const char *route_found(struct arena *a, unsigned reasons); /* "words, title" */
/* [{model, provider, tier}], in the order they are tried. */
void route_write_candidates(struct fd_json_writer *w, const struct model_plan *plan);

#endif
