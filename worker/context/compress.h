/*
 * Compress: what a prompt says twice, or in vain, is left out (ENG-7). Only what a model loses
 * nothing by: a sentence that many sections end with, blanks, the notes of a JSON Schema, the
 * schemas of tools that are far from the question where many are offered. Pure.
 */
#ifndef FD_CONTEXT_COMPRESS_H
#define FD_CONTEXT_COMPRESS_H

#include "context/chunk.h"
#include "llm/provider.h"

#define COMPRESS_TOOLS_KEPT 16 /* of more, those that the question speaks of */

/* Shorter bodies in `a`, in place. Returns the tokens that were saved. */
int compress_snippets(struct arena *a, struct snippet *snippets, size_t count);
/* A JSON Schema that takes the same arguments; the same text where there is nothing to gain. */
const char *compress_schema(struct arena *a, const char *schema);
/* The tools to offer, in their order, in *kept; returns how many. `texts` is what was said:
 * the question and what came before it. */
size_t compress_tools(struct arena *a, const struct llm_tool *tools, size_t count,
                      const char *const *texts, size_t text_count, const struct llm_tool **kept);

#endif
