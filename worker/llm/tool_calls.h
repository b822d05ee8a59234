/*
 * Tool calls of one answer while they stream in: name, id and arguments may come in
 * any order and interleaved with other calls. TOOL_START waits for name and id; a
 * call that never gets an id is given one at its end.
 */
#ifndef FD_LLM_TOOL_CALLS_H
#define FD_LLM_TOOL_CALLS_H

#include "llm/stream.h"

#define TOOL_CALL_NO_KEY (-1)

struct tool_call {
    int index;   /* in the order of appearance: what events carry */
    int64_t key; /* the provider's index */
    struct buf id;
    struct buf name;
    struct buf arguments;
    bool started;
    bool ended;
};

/* NULL and an error when the answer has too many. */
struct tool_call *tool_call_open(struct llm_stream *s, int64_t key);
/* The latest that is not ended; NULL if there is none. */
struct tool_call *tool_call_by_key(const struct llm_stream *s, int64_t key);
struct tool_call *tool_call_by_id(const struct llm_stream *s, const char *id);
struct tool_call *tool_call_last(const struct llm_stream *s);

/* The first id and the first name stay; NULL and "" are ignored. */
void tool_call_identify(struct llm_stream *s, struct tool_call *call, const char *id,
                        const char *name);
void tool_call_arguments(struct llm_stream *s, struct tool_call *call, const char *text,
                         size_t len);
/* Arguments that came as an object. */
void tool_call_object(struct llm_stream *s, struct tool_call *call, const struct fd_json *object);
/* False: the arguments are no JSON object, or there is no name (error set). */
bool tool_call_end(struct llm_stream *s, struct tool_call *call);

bool tool_calls_end_all(struct llm_stream *s);
void tool_calls_free(struct llm_stream *s);

#endif
