/*
 * Prompt tools: tools for a model that has none of its own. The request tells it in
 * words what there is and how a call is written; the answer is read strictly:
 *
 *     <tool_call>{"name": "...", "arguments": {...}}</tool_call>
 *
 * at the start of a line, one JSON object with these two members and nothing else.
 * What is close to a call, but is none, is told as a call of PROMPT_TOOLS_MALFORMED, so
 * that the model learns of it and the reader never sees it. Calls after the first
 * LLM_TOOL_CALLS_MAX are left out. Pure and incremental.
 */
#ifndef FD_LLM_PROMPT_TOOLS_H
#define FD_LLM_PROMPT_TOOLS_H

#include "llm/provider.h"

#define PROMPT_TOOLS_MALFORMED "malformed_tool_call"

/* The same request without tools: they, their calls and their results are text. */
struct llm_request prompt_tools_request(struct arena *a, const struct llm_request *request);

struct prompt_tools_scan {
    enum { PROMPT_TOOLS_TEXT, PROMPT_TOOLS_MARK, PROMPT_TOOLS_CALL } state;
    bool line_began; /* something but white space stands on this line */
    bool called;     /* what follows a call is no answer: its result is not known yet */
    size_t matched;  /* of the mark */
    int count;
    struct buf call;
};

void prompt_tools_init(struct prompt_tools_scan *scan);
void prompt_tools_free(struct prompt_tools_scan *scan); /* safe on a zeroed one */
/* Text of the answer as it comes; tells TEXT and TOOL_END events. False: fn said so. */
bool prompt_tools_feed(struct prompt_tools_scan *scan, const char *text, size_t len,
                       llm_event_fn *fn, void *arg);
/* The answer is over: what was held back. */
bool prompt_tools_end(struct prompt_tools_scan *scan, llm_event_fn *fn, void *arg);

#endif
