/*
 * Chunk: snippets packed into token budgets (contracts: "Context"). Pure. No chunk
 * passes max_chunk_tokens, there are never more than max_chunks, and their sum
 * never passes max_context_tokens; a snippet that is too large for a chunk is
 * split at sentence ends, not let through.
 */
#ifndef FD_CONTEXT_CHUNK_H
#define FD_CONTEXT_CHUNK_H

#include "core/arena.h"

#define SNIPPETS_MAX 80

/* Why a snippet was found. */
enum snippet_reason {
    SNIPPET_WORDS = 1, /* it has words of the question */
    SNIPPET_TITLE = 2, /* in its title */
    SNIPPET_ALIKE = 4, /* it has a word that was mistyped in the question */
    SNIPPET_NEW = 8,   /* changed in the last months */
    SNIPPET_NEAR = 16, /* of the conversation's topic or page, or beside another that was found */
    SNIPPET_MEANING = 32, /* embeddings found it */
    SNIPPET_NAMED = 64    /* by its number */
};

struct snippet {
    const char *id; /* "article:shipping" */
    const char *label;
    const char *body;
    double score; /* > 0; the caller drops the rest */
    unsigned reasons;
};

struct chunk_limits {
    int max_chunk_tokens;
    int max_chunks;
    int max_context_tokens;
};

struct chunk {
    int index;
    const char *text; /* "[id] label" LF body, a blank line between snippets */
    int estimated_tokens;
    const char **snippet_ids;
    size_t snippet_count;
};

struct chunk_set {
    struct chunk *chunks;
    size_t count;
    int context_tokens; /* the sum */
};

#define CHUNK_SEPARATOR "\n\n---\n\n"

/* Sorts by falling score (stable), cuts to SNIPPETS_MAX, packs. All in `a`. */
void chunk_pack(struct arena *a, const struct snippet *snippets, size_t count,
                const struct chunk_limits *limits, struct chunk_set *set);
/* The chunks joined by CHUNK_SEPARATOR, "" where there are none. */
const char *chunk_join(struct arena *a, const struct chunk_set *set);

#endif
