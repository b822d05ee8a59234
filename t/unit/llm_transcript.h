/*
 * Transcript: what a decoder told, as lines of text, so that a fixture can be fed in
 * every fragmentation and compared with t/fixtures/llm/<name>.events.
 */
#ifndef FD_TEST_LLM_TRANSCRIPT_H
#define FD_TEST_LLM_TRANSCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "llm/provider.h"

#define FIXTURES "t/fixtures/llm/"

struct transcript {
    struct buf text;
    struct llm_error error;
    enum llm_finish finish;
    size_t events;
    size_t stop_after; /* 0 = never */
};

static inline bool transcript_event(void *arg, const struct llm_event *event)
{
    static const char *const names[] = {
        [LLM_EVENT_TEXT] = "text",           [LLM_EVENT_THINKING] = "thinking",
        [LLM_EVENT_TOOL_START] = "start",    [LLM_EVENT_TOOL_ARGS] = "args",
        [LLM_EVENT_TOOL_END] = "end",        [LLM_EVENT_MODEL] = "model",
        [LLM_EVENT_KEEPALIVE] = "keepalive",
    };
    struct transcript *t = arg;
    assert_int_equal(strlen(event->text), event->text_len);
    buf_printf(&t->text, "%s", names[event->type]);
    if (event->type >= LLM_EVENT_TOOL_START && event->type <= LLM_EVENT_TOOL_END) {
        buf_printf(&t->text, " %d", event->index);
    }
    if (event->id != NULL) {
        buf_printf(&t->text, " id=%s name=%s", event->id, event->name);
    }
    if (event->text_len > 0) {
        buf_printf(&t->text, " |%s|", event->text);
    }
    buf_puts(&t->text, "\n");
    t->events++;
    return t->events != t->stop_after;
}

static inline void transcript_end(struct transcript *t, const struct llm_decoder *d)
{
    t->error = d->error;
    t->finish = d->finish;
    if (d->error.class == LLM_ERROR_NONE) {
        buf_printf(&t->text, "finish %s\n", llm_finish_name(d->finish));
    } else {
        buf_printf(&t->text, "error %s status=%d |%s|\n", llm_error_name(d->error.class),
                   d->error.status, d->error.message);
    }
    buf_printf(&t->text, "usage in=%lld out=%lld read=%lld write=%lld cost=%lld\n",
               (long long)d->usage.input, (long long)d->usage.output,
               (long long)d->usage.cache_read, (long long)d->usage.cache_write,
               (long long)d->usage.cost_micro);
}

/* Feeds bytes[0..len) in pieces that end at every multiple of `step` and at `split`
 * (0 = none of that kind), each from a block of its own, so that a decoder that keeps
 * a pointer into its input is found out. */
static inline void transcript_feed(struct transcript *t, const struct llm_protocol *protocol,
                                   const char *bytes, size_t len, size_t step, size_t split)
{
    struct llm_decoder d;
    bool more = true;
    assert_true(protocol->decoder_init(&d));
    for (size_t from = 0; from < len && more;) {
        size_t to = step > 0 && from + step < len ? from + step : len;
        if (split > from && split < to) {
            to = split;
        }
        char *piece = malloc(to - from);
        assert_non_null(piece);
        memcpy(piece, bytes + from, to - from);
        more = protocol->decode(&d, piece, to - from, transcript_event, t);
        free(piece);
        from = to;
    }
    assert_true(more || d.error.class != LLM_ERROR_NONE || t->events == t->stop_after);
    if (t->stop_after == 0) {
        protocol->decode_end(&d, transcript_event, t);
        assert_true(d.ended == (d.error.class == LLM_ERROR_NONE));
    }
    transcript_end(t, &d);
    protocol->decoder_free(&d);
}

static inline void transcript_init(struct transcript *t)
{
    *t = (struct transcript){0};
    buf_init(&t->text, 64u << 20);
}

static inline void transcript_free(struct transcript *t)
{
    buf_free(&t->text);
}

static inline char *fixture_read(const char *name, size_t *len)
{
    char path[256];
    *len = 0;
    (void)snprintf(path, sizeof(path), FIXTURES "%s", name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fail_msg("cannot open %s: run from the top of the tree", path);
        return NULL;
    }
    char *text = calloc(1, 1u << 20);
    assert_non_null(text);
    *len = fread(text, 1, (1u << 20) - 1, f);
    fclose(f);
    return text;
}

/* The expected transcript of "x.sse" is "x.events". */
static inline char *fixture_expected(const char *name)
{
    char path[128];
    size_t len;
    (void)snprintf(path, sizeof(path), "%.*s.events", (int)strcspn(name, "."), name);
    return fixture_read(path, &len);
}

/* ENG-1: the same events whatever the fragmentation: whole, byte by byte, and split
 * in two at every offset. */
static inline void check_fragmentation(const struct llm_protocol *protocol, const char *name)
{
    size_t len;
    char *bytes = fixture_read(name, &len);
    char *expected = fixture_expected(name);
    for (size_t split = 0; split <= len; split++) {
        struct transcript t;
        transcript_init(&t);
        transcript_feed(&t, protocol, bytes, len, split == len ? 1 : 0, split);
        if (strcmp(t.text.data, expected) != 0) {
            fail_msg("%s, split at %zu:\n%s\ninstead of\n%s", name, split, t.text.data, expected);
        }
        transcript_free(&t);
    }
    free(expected);
    free(bytes);
}

/* ENG-1: a stream that is cut anywhere is an error, or it was complete already. */
static inline void check_cuts(const struct llm_protocol *protocol, const char *name)
{
    size_t len;
    char *bytes = fixture_read(name, &len);
    char *expected = fixture_expected(name);
    for (size_t cut = 0; cut < len; cut++) {
        struct transcript t;
        transcript_init(&t);
        transcript_feed(&t, protocol, bytes, cut, 0, 0);
        if (t.error.class == LLM_ERROR_NONE && strcmp(t.text.data, expected) != 0) {
            fail_msg("%s, cut at %zu, succeeds:\n%s", name, cut, t.text.data);
        }
        transcript_free(&t);
    }
    free(expected);
    free(bytes);
}

#endif
