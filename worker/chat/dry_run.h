/*
 * Dry run (ENG-18): everything up to the model call, by the steps of a job, told in full:
 * snippets with their scores, chunks, route, model, tokens, price, the prompt itself. No
 * model is called, but for the question's embedding, where the organisation has them. On a pool
 * thread or in a command.
 */
#ifndef FD_CHAT_DRY_RUN_H
#define FD_CHAT_DRY_RUN_H

#include "chat/draft.h"
#include "chat/meaning_once.h"
#include "context/retrieve.h"
#include "chat/toolbox.h"
#include "llm/price.h"

struct dry_run_ask {
    const char *org;
    const char *question;
    const char *language; /* NULL: the question's own */
    const char *model_id; /* NULL: as the route says */
    const char *session;  /* whose next question it is; NULL: the first of a conversation */
};

struct dry_run {
    bool found;          /* there is such an organisation */
    const char *refused; /* why a model would not be asked; NULL = it would */
    struct tenant *tenant;
    struct toolbox *tools;
    struct llm_endpoints endpoints;
    const char *language;
    struct meaning_once meaning;
    struct retrieved retrieved;
    struct llm_message *history; /* of the session */
    size_t history_count;
    struct route_last last;
    struct summary summary;
    struct draft draft;
    size_t tool_tokens;    /* estimated, of the tools that are offered */
    int64_t prompt_tokens; /* estimated, with the tools */
    int64_t likely_tokens; /* of them, as the first candidate's provider will count */
    struct model_plan plan;
    bool free; /* a provider of one's own: nothing is to be paid */
    bool priced;
    struct price price; /* of the first candidate */
};

/* DB_FAILED with db_error() also where providers or prompts are not as they must be.
 * dry_run_free() in any case. */
enum db_status dry_run_make(struct db *db, const struct config *config, struct arena *a,
                            const struct dry_run_ask *ask, struct dry_run *run);
void dry_run_free(struct dry_run *run);
void dry_run_write(struct fd_json_writer *w, const struct dry_run *run);

#endif
