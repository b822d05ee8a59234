/*
 * Embedding: texts as vectors, in OpenAI's wire format (POST /embeddings), which vLLM,
 * Ollama, LiteLLM and others speak as well. Pure: a request to bytes, a response to vectors
 * of length 1, so that their product is the cosine. Base64 is asked for, as half as long;
 * servers that only know lists of numbers are understood.
 */
#ifndef FD_LLM_EMBEDDING_H
#define FD_LLM_EMBEDDING_H

#include "core/arena.h"
#include "core/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define EMBEDDING_DIMENSIONS_MAX 4096
#define EMBEDDING_INPUTS_MAX     64
#define EMBEDDING_INPUT_MAX      8000 /* bytes of one text: within 8,191 tokens of any script */

struct embedding_request {
    const char *model;
    int dimensions; /* 0: the model's own */
    const char *const *inputs;
    size_t count;
};

/* False: it cannot be written. */
bool embedding_encode(const struct embedding_request *request, struct buf *body);
/* "Authorization: Bearer ..." and the type, for a request; NULL: the key cannot be sent. */
const char *const *embedding_headers(struct arena *a, const char *api_key);

struct embedding_vectors {
    float *values; /* count rows of `dimensions` */
    size_t count;
    int dimensions;
    int64_t tokens; /* -1 = not told */
};

/* `count` and `dimensions` (0: whatever, but the same for all) as they were asked for.
 * False: error says what is wrong, in words of ours. In the arena. */
bool embedding_decode(struct arena *a, const char *body, size_t len, size_t count, int dimensions,
                      struct embedding_vectors *vectors, char error[128]);

/* Of length 1; false: it has no direction, or a number that is none. */
bool embedding_normalise(float *vector, int dimensions);

#endif
