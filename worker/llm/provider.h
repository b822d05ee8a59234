/*
 * Provider: what a language-model protocol is to the rest of the worker. A
 * protocol turns a request into bytes and bytes into events; it does no I/O and
 * keeps no time, so that each is a pure unit with fixtures and a fuzz target
 * (formats and their edge cases: docs/architecture.md, "Providers").
 */
#ifndef FD_LLM_PROVIDER_H
#define FD_LLM_PROVIDER_H

#include "core/arena.h"
#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum llm_role { LLM_SYSTEM, LLM_USER, LLM_ASSISTANT, LLM_TOOL };

struct llm_tool_call {
    const char *id;
    const char *name;
    const char *arguments; /* JSON object, as text */
};

struct llm_message {
    enum llm_role role;
    const char *text; /* may be "" where an assistant only calls tools */
    const struct llm_tool_call *tool_calls;
    size_t tool_call_count;
    const char *tool_call_id; /* of a LLM_TOOL message: which call it answers */
    const char *thinking;     /* of an assistant that called tools: Ollama wants it back; or NULL */
};

struct llm_tool {
    const char *name;
    const char *description;
    const char *parameters; /* JSON Schema, as text */
    bool strict;            /* arguments exactly by the schema, where a protocol has that */
};

/* What a caller may ask of a model beyond what a conversation needs. A protocol leaves
 * out what it has no word for; whoever must have it looks at `abilities`. */
struct llm_wishes {
    double top_p;             /* -1 = not said */
    double frequency_penalty; /* 0 = none */
    double presence_penalty;
    bool has_seed;
    int64_t seed;
    const char *const *stop; /* texts at which the answer ends */
    size_t stop_count;
    bool must_call;               /* some tool, */
    const char *must_call_name;   /* or this one; NULL = any */
    int parallel_calls;           /* -1 = not said */
    const char *format;           /* OpenAI's response_format, as text; NULL = none */
    const char *schema;           /* its JSON Schema, as text; NULL = any JSON */
    const char *reasoning_effort; /* NULL = not said */
    bool think_little;            /* unless it was: of a model that is known to reason */
    const char *verbosity;
};

enum llm_ability {
    LLM_CAN_BE_MADE_TO_CALL = 1, /* must_call */
    LLM_CAN_KEEP_FORMAT = 2      /* format, schema */
};

struct llm_request {
    const char *model;
    const char *system;
    const struct llm_message *messages; /* oldest first; the last is the user's or a tool's */
    size_t message_count;
    const struct llm_tool *tools;
    size_t tool_count;
    bool tools_closed; /* they were called before, but none may be called now */
    double temperature;
    int max_tokens;
    const struct llm_wishes *wishes; /* NULL = none */

    /* what the built-in provider answers from; the others have it in the messages */
    const char *question;
    const char *context;  /* packed chunks: "[id] label" LF body, as chunk.h prints them */
    const char *language; /* "en", "he" */
};

/* Disjoint: an input token is in exactly one of the three. -1 = not reported. */
struct llm_usage {
    int64_t input;
    int64_t output;
    int64_t cache_read;
    int64_t cache_write;
    int64_t cost_micro; /* the provider's own figure (OpenRouter), -1 = none */
};

enum llm_finish {
    LLM_FINISH_NONE, /* the stream is not over, or was cut */
    LLM_FINISH_STOP,
    LLM_FINISH_LENGTH,
    LLM_FINISH_TOOLS,
    LLM_FINISH_FILTER,
    LLM_FINISH_OTHER
};
const char *llm_finish_name(enum llm_finish finish); /* "stop", "length", "tool_calls", ... */

enum llm_event_type {
    LLM_EVENT_TEXT,       /* text: visible */
    LLM_EVENT_THINKING,   /* text: never shown */
    LLM_EVENT_TOOL_START, /* index, id, name */
    LLM_EVENT_TOOL_ARGS,  /* index, text: a fragment of JSON */
    LLM_EVENT_TOOL_END,   /* index, id, name, text: the whole arguments, a valid JSON object */
    LLM_EVENT_MODEL,      /* text: the model that really answers */
    LLM_EVENT_KEEPALIVE   /* the provider is alive; no content (ping, comment, role) */
};

struct llm_event {
    enum llm_event_type type;
    const char *text; /* valid during the call; NUL terminated */
    size_t text_len;
    int index;
    const char *id;
    const char *name;
};

/* Why a call did not end well; what the retry policy decides on. */
enum llm_error_class {
    LLM_ERROR_NONE,
    LLM_ERROR_CONNECT,    /* resolve, connect, TLS */
    LLM_ERROR_TIMEOUT,    /* connect, first token, idle or total */
    LLM_ERROR_CUT,        /* ended without the protocol's terminal event */
    LLM_ERROR_PROTOCOL,   /* bytes that are not the protocol */
    LLM_ERROR_RATE,       /* 429 that time heals */
    LLM_ERROR_QUOTA,      /* money: 402, insufficient_quota, spend limits */
    LLM_ERROR_OVERLOADED, /* 5xx, 529, overloaded_error */
    LLM_ERROR_AUTH,       /* 401, 403 */
    LLM_ERROR_REQUEST,    /* 400, 404, 413, 422: ours, or the model does not exist */
    LLM_ERROR_CONTEXT,    /* the prompt is longer than the model's window */
    LLM_ERROR_FILTER      /* refused by the provider's moderation */
};
const char *llm_error_name(enum llm_error_class error);

struct llm_error {
    enum llm_error_class class;
    int status;             /* HTTP, 0 = none */
    int64_t retry_after_ms; /* -1 = not said */
    int should_retry;       /* x-should-retry: 1, 0, or -1 not said */
    char message[256];      /* the provider's words, one line, for logs and operators */
};

/* Decoder: fed with the body's bytes as they come, in any fragmentation. */
struct llm_decoder {
    /* what the decoder found; complete once ended */
    struct llm_usage usage;
    enum llm_finish finish;
    struct llm_error error; /* class != NONE: an error event or garbage under HTTP 200 */
    bool ended;             /* the protocol's own terminal event was seen */
    void *state;            /* the protocol's */
};

/* False stops the decoding (the caller has enough). */
typedef bool llm_event_fn(void *arg, const struct llm_event *event);

struct llm_protocol {
    const char *name;   /* "openai", "anthropic", "ollama" */
    unsigned abilities; /* llm_ability */
    /* Path below the base URL, headers and body of a request. Headers are in `a`,
     * NULL-terminated. False: a value cannot be sent (CR or LF in a key). */
    bool (*encode)(const struct llm_request *request, const char *api_key, struct arena *a,
                   const char **path, const char *const **headers, struct buf *body);
    bool (*decoder_init)(struct llm_decoder *decoder);
    void (*decoder_free)(struct llm_decoder *decoder);
    /* False: stop reading (fn said so, or decoder->error is set). */
    bool (*decode)(struct llm_decoder *decoder, const char *bytes, size_t len, llm_event_fn *fn,
                   void *arg);
    /* The body ended: a last unterminated line is looked at; sets error CUT if the
     * terminal event never came. */
    void (*decode_end)(struct llm_decoder *decoder, llm_event_fn *fn, void *arg);
    /* The class of a response with another status than 200, from its body. */
    void (*decode_error)(int status, const char *body, size_t len, struct llm_error *error);
};

extern const struct llm_protocol llm_openai; /* also OpenRouter, vLLM, llama.cpp */
extern const struct llm_protocol llm_anthropic;
extern const struct llm_protocol llm_ollama;

/* Retry-After (RFC 9110 section 10.2.3: seconds or a date), retry-after-ms and
 * x-should-retry, into error; values may be NULL. */
void llm_error_headers(struct llm_error *error, const char *retry_after, const char *retry_after_ms,
                       const char *should_retry, int64_t wall_ms);

/* The built-in offline provider: an extractive answer from request->context, cited,
 * which says what it is, in the question's language. Pure; the whole text into out. */
void llm_builtin_answer(const struct llm_request *request, struct buf *out);

#endif
