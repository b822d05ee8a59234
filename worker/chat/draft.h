/*
 * Draft: a question made ready to be asked - packed, routed, its prompt built, its model
 * chosen. What a job does before it asks, and all that a dry run does (ENG-18). Pure, but
 * for the endpoints' breakers.
 */
#ifndef FD_CHAT_DRAFT_H
#define FD_CHAT_DRAFT_H

#include "chat/answer.h"
#include "chat/toolbox.h"
#include "context/chunk.h"
#include "context/summary.h"
#include "route/model.h"
#include "context/prompt.h"
#include "route/route.h"
#include "llm/provider.h"
#include "tenant/tenant.h"
#include "tool/tool.h"

struct draft_input {
    const struct tenant *tenant;
    const struct prompt_set *prompts;
    const struct toolbox *box; /* NULL = no tools are offered */
    const char *question;
    const char *language;
    const char *own_text; /* tried in place of the organisation's; NULL = its own */
    const char *wish;     /* model_id; NULL = none */
    const char *session;  /* NULL = none */
    const struct snippet *snippets;
    size_t snippet_count;
    bool sought;      /* the organisation's records were searched for the question */
    double grounding; /* retrieved.grounding of it */
    const struct llm_message *history;
    size_t history_count;
    struct summary summary; /* of what came before; text NULL or "" = none */
    int64_t history_tokens; /* room for both; 0: as the organisation's settings say */
    struct route_last last;
    int64_t now_ms; /* unix */
};

struct draft {
    struct chunk_set set;
    struct route route;
    struct llm_request request; /* with those of the tools that this question is asked with */
    int64_t prompt_tokens;      /* estimated, without tools */
    int saved_tokens;           /* by what snippets say twice */
    struct answer_memory memory;
};

/* The route is made in `keep`, everything else in `a`. */
void draft_make(struct arena *keep, struct arena *a, const struct draft_input *input,
                struct draft *draft);
/* The room that the conversation so far may have, where the prompt is too long for the model
 * that was chosen and no other has the room; 0: it is not. */
int64_t draft_history_room(const struct draft_input *input, const struct llm_request *request,
                           int64_t prompt_tokens, const struct model_plan *plan);
/* The organisation's sources were asked and have nothing, or hardly anything, to say. */
bool draft_ungrounded(const struct route *route);
/* A snippet is in the prompt, be it in part. */
bool draft_sent(const struct chunk_set *set, const char *snippet_id);
/* Adds to the route how the model was chosen. */
void draft_choose(struct arena *keep, struct llm_endpoints *endpoints,
                  const struct draft_input *input, int64_t prompt_tokens, struct route *route,
                  struct model_plan *plan);

#endif
