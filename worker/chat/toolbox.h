/*
 * Toolbox: what an organisation's models may call, as the providers are told and as
 * it is run. Immutable once loaded; shared by reference count between running jobs,
 * cached beside the tenant and forgotten with it.
 */
#ifndef FD_CHAT_TOOLBOX_H
#define FD_CHAT_TOOLBOX_H

#include "db/db.h"
#include "llm/provider.h"
#include "tenant/org_cache.h"
#include "tool/tool.h"

struct toolbox {
    char org[37];
    struct tool_set set;
    const struct llm_tool *offered; /* one for each of the set */
    size_t tokens;                  /* estimated, of all that is offered */
    size_t saved_tokens;            /* by what their schemas need not say */
    bool binds_visitor;             /* one has to know who the visitor is */
    int64_t loaded_ms;              /* monotonic */
    unsigned refs;
    struct arena arena;
};

/* On a pool thread; the caller holds the first reference. Without tools it is empty. */
enum db_status toolbox_load(struct db *db, const char *org, struct toolbox **box);
/* Estimated, of tools as a request has them. */
size_t toolbox_tokens(const struct llm_tool *tools, size_t count);
struct toolbox *toolbox_ref(struct toolbox *box);
void toolbox_unref(struct toolbox *box); /* NULL is fine */

/* A cache of them (tenant/org_cache.h). */
struct org_cache *toolbox_cache_new(void);
struct toolbox *toolbox_cache_get(struct org_cache *boxes,
                                  const char *org);                   /* a new ref, or NULL */
void toolbox_cache_put(struct org_cache *boxes, struct toolbox *box); /* takes its own */

#endif
