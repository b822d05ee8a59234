#include "chat/completion.h"

#include "protocol/ids.h"

#include <stdio.h>
#include <string.h>

void completion_init(struct completion *c, const char *job, int64_t accepted_ms)
{
    memset(c, 0, sizeof(*c));
    const char *random = strchr(job, '-'); /* behind the shard */
    snprintf(c->id, sizeof(c->id), "chatcmpl-%s", random != NULL ? random + 1 : job);
    c->created = accepted_ms / 1000;
}

void completion_answered_by(struct completion *c, const char *provider, const char *model)
{
    char name[512], hex[FD_SHA256_HEX_SIZE];
    int len = snprintf(name, sizeof(name), "%s %s", provider, model);
    fd_sha256_hex(hex, name, (size_t)len < sizeof(name) ? (size_t)len : sizeof(name) - 1);
    snprintf(c->fingerprint, sizeof(c->fingerprint), "fp_%.10s", hex);
    c->model = model;
}

const char *completion_reason(const struct completion *c, enum llm_finish finish)
{
    switch (c->cut ? LLM_FINISH_LENGTH : finish) {
    case LLM_FINISH_LENGTH: return "length";
    case LLM_FINISH_FILTER: return "content_filter";
    default: return c->call_count > 0 ? "tool_calls" : "stop";
    }
}

/* -- what chunks and the whole share ------------------------------------------------------- */

static void write_head(struct fd_json_writer *w, const struct completion *c, const char *object)
{
    fd_jw_member(w, "id", c->id);
    fd_jw_member(w, "object", object);
    fd_jw_member_int(w, "created", c->created);
    fd_jw_member(w, "model", c->model);
    fd_jw_member(w, "system_fingerprint", c->fingerprint);
}

static void write_null(struct fd_json_writer *w, const char *key)
{
    fd_jw_key(w, key);
    fd_jw_null(w);
}

/* prompt_tokens includes what was read from and written to the cache. */
static void write_usage(struct fd_json_writer *w, const struct llm_usage *usage)
{
    int64_t prompt = usage->input + usage->cache_read + usage->cache_write;
    fd_jw_key(w, "usage");
    fd_jw_object(w);
    fd_jw_member_int(w, "prompt_tokens", prompt);
    fd_jw_member_int(w, "completion_tokens", usage->output);
    fd_jw_member_int(w, "total_tokens", prompt + usage->output);
    fd_jw_key(w, "prompt_tokens_details");
    fd_jw_object(w);
    fd_jw_member_int(w, "cached_tokens", usage->cache_read);
    fd_jw_end_object(w);
    fd_jw_end_object(w);
}

/* -- chunks -------------------------------------------------------------------------------- */

static void chunk_begin(struct fd_json_writer *w, const struct completion *c)
{
    fd_jw_object(w);
    write_head(w, c, "chat.completion.chunk");
    fd_jw_key(w, "choices");
    fd_jw_array(w);
}

static void chunk_end(struct fd_json_writer *w, const struct completion *c,
                      const struct llm_usage *usage)
{
    fd_jw_end_array(w);
    if (usage != NULL)
        write_usage(w, usage);
    else if (c->include_usage)
        write_null(w, "usage");
    fd_jw_end_object(w);
}

/* Up to the members of the delta; `calls`: the first chunk has no text beside them. */
static void delta_begin(struct fd_json_writer *w, struct completion *c, bool calls)
{
    chunk_begin(w, c);
    fd_jw_object(w);
    fd_jw_member_int(w, "index", 0);
    fd_jw_key(w, "delta");
    fd_jw_object(w);
    if (c->begun)
        return;
    c->begun = true;
    fd_jw_member(w, "role", "assistant");
    if (calls)
        write_null(w, "content");
    write_null(w, "refusal");
}

static void delta_end(struct fd_json_writer *w, const struct completion *c, const char *reason)
{
    fd_jw_end_object(w);
    write_null(w, "logprobs");
    fd_jw_member(w, "finish_reason", reason);
    fd_jw_end_object(w);
    chunk_end(w, c, NULL);
}

void completion_text(struct completion *c, struct fd_json_writer *w, const char *text, size_t len)
{
    delta_begin(w, c, false);
    fd_jw_key(w, "content");
    fd_jw_string(w, text, len);
    delta_end(w, c, NULL);
}

static void call_begin(struct fd_json_writer *w, int index)
{
    fd_jw_key(w, "tool_calls");
    fd_jw_array(w);
    fd_jw_object(w);
    fd_jw_member_int(w, "index", index);
}

static void call_end(struct fd_json_writer *w)
{
    fd_jw_end_object(w); /* function */
    fd_jw_end_object(w);
    fd_jw_end_array(w);
}

void completion_call(struct completion *c, struct fd_json_writer *w, int index, const char *id,
                     const char *name)
{
    delta_begin(w, c, true);
    call_begin(w, index);
    fd_jw_member(w, "id", id);
    fd_jw_member(w, "type", "function");
    fd_jw_key(w, "function");
    fd_jw_object(w);
    fd_jw_member(w, "name", name);
    fd_jw_member(w, "arguments", "");
    call_end(w);
    delta_end(w, c, NULL);
}

void completion_arguments(struct completion *c, struct fd_json_writer *w, int index,
                          const char *text, size_t len)
{
    delta_begin(w, c, true);
    call_begin(w, index);
    fd_jw_key(w, "function");
    fd_jw_object(w);
    fd_jw_key(w, "arguments");
    fd_jw_string(w, text, len);
    call_end(w);
    delta_end(w, c, NULL);
}

void completion_finish(struct completion *c, struct fd_json_writer *w, const char *reason)
{
    bool empty = !c->begun;
    delta_begin(w, c, false);
    if (empty)
        fd_jw_member(w, "content", "");
    delta_end(w, c, reason);
}

void completion_usage(struct completion *c, struct fd_json_writer *w, const struct llm_usage *usage)
{
    chunk_begin(w, c);
    chunk_end(w, c, usage);
}

/* -- the whole ----------------------------------------------------------------------------- */

static void write_calls(struct fd_json_writer *w, const struct completion *c)
{
    fd_jw_key(w, "tool_calls");
    fd_jw_array(w);
    for (size_t i = 0; i < c->call_count; i++) {
        fd_jw_object(w);
        fd_jw_member(w, "id", c->calls[i].id);
        fd_jw_member(w, "type", "function");
        fd_jw_key(w, "function");
        fd_jw_object(w);
        fd_jw_member(w, "name", c->calls[i].name);
        fd_jw_member(w, "arguments", c->calls[i].arguments);
        fd_jw_end_object(w);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

static void write_message(struct fd_json_writer *w, const struct completion *c, const char *text,
                          size_t len)
{
    fd_jw_object(w);
    fd_jw_member(w, "role", "assistant");
    fd_jw_key(w, "content");
    if (len == 0 && c->call_count > 0)
        fd_jw_null(w);
    else
        fd_jw_string(w, text, len);
    write_null(w, "refusal");
    fd_jw_key(w, "annotations");
    fd_jw_array(w);
    fd_jw_end_array(w);
    if (c->call_count > 0)
        write_calls(w, c);
    fd_jw_end_object(w);
}

void completion_write(struct fd_json_writer *w, const struct completion *c, const char *text,
                      size_t len, const char *reason, const struct llm_usage *usage)
{
    fd_jw_object(w);
    write_head(w, c, "chat.completion");
    fd_jw_key(w, "choices");
    fd_jw_array(w);
    fd_jw_object(w);
    fd_jw_member_int(w, "index", 0);
    fd_jw_key(w, "message");
    write_message(w, c, text, len);
    write_null(w, "logprobs");
    fd_jw_member(w, "finish_reason", reason);
    fd_jw_end_object(w);
    fd_jw_end_array(w);
    write_usage(w, usage);
    fd_jw_end_object(w);
}
