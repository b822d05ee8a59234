/*
 * What the fuzz targets of the stream decoders check (ENG-1): no input crashes one,
 * the fragmentation changes nothing, a stream ends well only by its terminal event,
 * and what is called the arguments of a tool is a JSON object.
 */
#ifndef FD_FUZZ_LLM_H
#define FD_FUZZ_LLM_H

#include "llm/provider.h"

#include <stdlib.h>
#include <string.h>

struct fuzz_trace {
    uint64_t hash;
    struct llm_decoder end; /* without its state */
};

static inline void fuzz_mix(struct fuzz_trace *t, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++) {
        t->hash = (t->hash ^ bytes[i]) * 1099511628211u;
    }
}

static inline void fuzz_check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static inline void fuzz_check_object(const struct llm_event *event)
{
    struct arena arena;
    struct fd_json_fault fault;
    arena_init(&arena);
    const struct fd_json *value = fd_json_parse(
        event->text, event->text_len, (struct fd_json_limits){.depth = 64, .nodes = 1u << 20},
        arena_allocator(&arena), &fault);
    fuzz_check(value != NULL && value->type == FD_JSON_OBJECT);
    arena_free(&arena);
}

static inline bool fuzz_event(void *arg, const struct llm_event *event)
{
    struct fuzz_trace *t = arg;
    fuzz_check(strlen(event->text) == event->text_len);
    fuzz_check(fd_utf8_valid(event->text, event->text_len));
    fuzz_mix(t, &event->type, sizeof(event->type));
    fuzz_mix(t, event->text, event->text_len);
    if (event->type == LLM_EVENT_TOOL_START || event->type == LLM_EVENT_TOOL_END) {
        fuzz_check(*event->id != '\0' && *event->name != '\0');
        fuzz_mix(t, event->id, strlen(event->id));
        fuzz_mix(t, event->name, strlen(event->name));
    }
    if (event->type == LLM_EVENT_TOOL_END) {
        fuzz_check_object(event);
    }
    return true;
}

static inline void fuzz_decode(struct fuzz_trace *t, const struct llm_protocol *protocol,
                               const char *bytes, size_t len, size_t step)
{
    struct llm_decoder d;
    bool more = true;
    *t = (struct fuzz_trace){.hash = 14695981039346656037u};
    fuzz_check(protocol->decoder_init(&d));
    for (size_t from = 0; from < len && more; from += step) {
        size_t part = len - from < step ? len - from : step;
        char *piece = malloc(part);
        fuzz_check(piece != NULL);
        memcpy(piece, bytes + from, part);
        more = protocol->decode(&d, piece, part, fuzz_event, t);
        free(piece);
    }
    fuzz_check(more || d.error.class != LLM_ERROR_NONE);
    protocol->decode_end(&d, fuzz_event, t);
    fuzz_check(d.ended == (d.error.class == LLM_ERROR_NONE));
    fuzz_check(!d.ended || d.finish != LLM_FINISH_NONE);
    protocol->decoder_free(&d);
    t->end = d;
}

/* The first byte is the size of the pieces. */
static inline int fuzz_protocol(const struct llm_protocol *protocol, const uint8_t *data,
                                size_t size)
{
    struct fuzz_trace whole, pieces;
    struct llm_error error;
    if (size < 1) {
        return 0;
    }
    const char *bytes = (const char *)data + 1;
    fuzz_decode(&whole, protocol, bytes, size - 1, size);
    fuzz_decode(&pieces, protocol, bytes, size - 1, (size_t)data[0] % 61 + 1);
    fuzz_check(whole.hash == pieces.hash);
    fuzz_check(whole.end.error.class == pieces.end.error.class);
    fuzz_check(memcmp(&whole.end.usage, &pieces.end.usage, sizeof(whole.end.usage)) == 0);

    protocol->decode_error(400 + data[0], bytes, size - 1, &error);
    fuzz_check(error.class != LLM_ERROR_NONE);
    fuzz_check(strlen(error.message) < sizeof(error.message));
    return 0;
}

#endif
