/*
 * Completion: an answer as OpenAI's chat completions have it, whole or in chunks, for
 * the OpenAI-compatible door. Pure.
 */
#ifndef FD_CHAT_COMPLETION_H
#define FD_CHAT_COMPLETION_H

#include "core/buf.h"
#include "llm/provider.h"
#include "llm/stream.h"

#define COMPLETION_ID_SIZE          48
#define COMPLETION_FINGERPRINT_SIZE 16

struct completion_call {
    const char *id;
    const char *name;
    const char *arguments; /* a JSON object, as text */
};

struct completion {
    char id[COMPLETION_ID_SIZE];
    int64_t created; /* unix s */
    const char *model;
    char fingerprint[COMPLETION_FINGERPRINT_SIZE];
    bool include_usage; /* of a stream: the last chunk tells it, the others say null */
    bool begun;         /* the role was said, in the first chunk */
    struct completion_call calls[LLM_TOOL_CALLS_MAX];
    size_t call_count;
    bool cut; /* there were more calls than an answer holds */
};

void completion_init(struct completion *c, const char *job, int64_t accepted_ms);
/* Who answers. The same provider and model have the same fingerprint. */
void completion_answered_by(struct completion *c, const char *provider, const char *model);

/* Chunks, each a whole JSON object. */
void completion_text(struct completion *c, struct fd_json_writer *w, const char *text, size_t len);
void completion_call(struct completion *c, struct fd_json_writer *w, int index, const char *id,
                     const char *name);
void completion_arguments(struct completion *c, struct fd_json_writer *w, int index,
                          const char *text, size_t len);
void completion_finish(struct completion *c, struct fd_json_writer *w, const char *reason);
void completion_usage(struct completion *c, struct fd_json_writer *w,
                      const struct llm_usage *usage);

/* The whole object; usage has no field that is -1 but cost_micro. */
void completion_write(struct fd_json_writer *w, const struct completion *c, const char *text,
                      size_t len, const char *reason, const struct llm_usage *usage);
/* "stop", "length", "tool_calls" or "content_filter": there is no other. */
const char *completion_reason(const struct completion *c, enum llm_finish finish);

#endif
