#include "llm/embedding.h"

#include "core/utf8.h"
#include "llm/encode.h"
#include "protocol/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

/* A list of 64 vectors of 4,096 numbers has as many nodes. */
#define NODES_MAX (EMBEDDING_INPUTS_MAX * (EMBEDDING_DIMENSIONS_MAX + 16))

/* -- the request ------------------------------------------------------------------------ */

bool embedding_encode(const struct embedding_request *request, struct buf *body)
{
    struct fd_json_writer w;

    buf_json(body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "model", request->model);
    fd_jw_key(&w, "input");
    fd_jw_array(&w);
    for (size_t i = 0; i < request->count; i++) {
        const char *text = request->inputs[i];
        size_t len = strlen(text);
        fd_jw_string(&w, text,
                     len <= EMBEDDING_INPUT_MAX ? len : utf8_floor(text, len, EMBEDDING_INPUT_MAX));
    }
    fd_jw_end_array(&w);
    if (request->dimensions > 0) {
        fd_jw_member_int(&w, "dimensions", request->dimensions);
    }
    fd_jw_member(&w, "encoding_format", "base64");
    fd_jw_end_object(&w);
    return buf_json_end(body, &w) && request->count > 0 && request->count <= EMBEDDING_INPUTS_MAX;
}

const char *const *embedding_headers(struct arena *a, const char *api_key)
{
    const char **list = arena_zalloc(a, 4 * sizeof(*list));

    list[0] = "Content-Type: application/json";
    list[1] = "Accept: application/json";
    if (api_key != NULL) {
        list[2] = encode_header(a, "Authorization", "Bearer ", api_key);
        if (list[2] == NULL) {
            return NULL;
        }
    }
    return list;
}

/* -- the response ------------------------------------------------------------------------ */

bool embedding_normalise(float *vector, int dimensions)
{
    double sum = 0;

    for (int i = 0; i < dimensions; i++) {
        sum += (double)vector[i] * (double)vector[i];
    }
    if (!isfinite(sum) || sum < 1e-12) {
        return false;
    }
    double factor = 1 / sqrt(sum);
    for (int i = 0; i < dimensions; i++) {
        vector[i] = (float)((double)vector[i] * factor);
    }
    return true;
}

static float float_of(const unsigned char bytes[4])
{
    uint32_t bits = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                    (uint32_t)bytes[3] << 24;
    float value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* How many numbers there are; 0: it is no vector. */
static size_t length_of(const struct fd_json *embedding)
{
    if (embedding != NULL && embedding->type == FD_JSON_ARRAY) {
        return embedding->count;
    }
    if (embedding == NULL || embedding->type != FD_JSON_STRING || embedding->text_len % 4 != 0) {
        return 0;
    }
    size_t padding = 0;
    while (padding < 2 && padding < embedding->text_len &&
           embedding->text[embedding->text_len - 1 - padding] == '=') {
        padding++;
    }
    size_t bytes = embedding->text_len / 4 * 3 - padding;
    return bytes % 4 == 0 ? bytes / 4 : 0;
}

static bool read_base64(const struct fd_json *embedding, float *out, size_t dimensions)
{
    unsigned char bytes[4 * EMBEDDING_DIMENSIONS_MAX];
    size_t len;

    if (sodium_base642bin(bytes, sizeof(bytes), embedding->text, embedding->text_len, NULL, &len,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        len != 4 * dimensions) {
        return false;
    }
    for (size_t i = 0; i < dimensions; i++) {
        out[i] = float_of(bytes + 4 * i);
    }
    return true;
}

static bool read_numbers(const struct fd_json *embedding, float *out)
{
    for (const struct fd_json *n = embedding->child; n != NULL; n = n->next) {
        if (n->type != FD_JSON_NUMBER) {
            return false;
        }
        *out++ = (float)n->number;
    }
    return true;
}

static bool wrong(char error[128], const char *what)
{
    snprintf(error, 128, "%s", what);
    return false;
}

static bool read_one(const struct fd_json *item, size_t place, bool seen[EMBEDDING_INPUTS_MAX],
                     struct embedding_vectors *vectors, int wanted, char error[128])
{
    const struct fd_json *embedding = fd_json_get(item, "embedding");
    int64_t index = fd_json_int(item, "index", (int64_t)place);
    size_t length = length_of(embedding);

    if (index < 0 || (size_t)index >= vectors->count || seen[index]) {
        return wrong(error, "its vectors are numbered wrongly");
    }
    if (length == 0 || length > EMBEDDING_DIMENSIONS_MAX) {
        return wrong(error, "a vector is no list of numbers, and no base64 of them");
    }
    if ((wanted > 0 && length != (size_t)wanted) || length != (size_t)vectors->dimensions) {
        snprintf(error, 128, "a vector has %zu dimensions, %d were expected", length,
                 wanted > 0 ? wanted : vectors->dimensions);
        return false;
    }
    float *out = vectors->values + (size_t)index * length;
    bool read = embedding->type == FD_JSON_STRING ? read_base64(embedding, out, length)
                                                  : read_numbers(embedding, out);
    if (!read || !embedding_normalise(out, (int)length)) {
        return wrong(error, "a vector has a value that is no number, or no direction");
    }
    seen[index] = true;
    return true;
}

bool embedding_decode(struct arena *a, const char *body, size_t len, size_t count, int dimensions,
                      struct embedding_vectors *vectors, char error[128])
{
    bool seen[EMBEDDING_INPUTS_MAX] = {false};
    struct fd_json_fault fault;
    size_t place = 0;

    *vectors = (struct embedding_vectors){.count = count, .tokens = -1};
    const struct fd_json *root = fd_json_parse(
        body, len, (struct fd_json_limits){.nodes = NODES_MAX}, arena_allocator(a), &fault);
    const struct fd_json *data = fd_json_get(root, "data");
    if (root == NULL || data == NULL || data->type != FD_JSON_ARRAY) {
        return wrong(error, "the answer is no list of embeddings");
    }
    if (data->count != count || count > EMBEDDING_INPUTS_MAX) {
        snprintf(error, 128, "%zu vectors came for %zu texts", data->count, count);
        return false;
    }
    size_t length = length_of(fd_json_get(data->child, "embedding"));
    vectors->dimensions = length <= EMBEDDING_DIMENSIONS_MAX ? (int)length : 0;
    vectors->values = arena_alloc(a, count * (size_t)vectors->dimensions * sizeof(float) + 1);
    for (const struct fd_json *item = data->child; item != NULL; item = item->next) {
        if (!read_one(item, place++, seen, vectors, dimensions, error)) {
            return false;
        }
    }
    vectors->tokens = fd_json_int(fd_json_get(root, "usage"), "prompt_tokens", -1);
    return true;
}
