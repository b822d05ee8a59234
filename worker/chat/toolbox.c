#include "chat/toolbox.h"

#include "context/compress.h"
#include "core/clock.h"
#include "llm/tokens.h"
#include "protocol/limits.h"

#include <stdlib.h>
#include <string.h>

/* -- one ------------------------------------------------------------------------------------ */

static bool binds_visitor(const struct tool *tool)
{
    for (size_t i = 0; i < tool->binding_count; i++) {
        if (strncmp(tool->bindings[i].source, "visitor.", 8) == 0)
            return true;
    }
    return false;
}

size_t toolbox_tokens(const struct llm_tool *tools, size_t count)
{
    size_t tokens = 0;
    for (size_t i = 0; i < count; i++) {
        const char *const texts[] = {tools[i].name, tools[i].description, tools[i].parameters};
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
            tokens += texts[k] != NULL ? (size_t)tokens_estimate(texts[k], strlen(texts[k])) : 0;
    }
    return tokens;
}

static void offer(struct toolbox *box)
{
    struct llm_tool *offered = arena_zalloc(&box->arena, (box->set.count + 1) * sizeof(*offered));
    for (size_t i = 0; i < box->set.count; i++) {
        const struct tool *tool = &box->set.list[i];
        box->binds_visitor = box->binds_visitor || binds_visitor(tool);
        offered[i] = (struct llm_tool){
            .name = tool->name, .description = tool->description, .parameters = tool->parameters};
    }
    size_t whole = toolbox_tokens(offered, box->set.count);
    for (size_t i = 0; i < box->set.count; i++)
        offered[i].parameters = compress_schema(&box->arena, offered[i].parameters);
    box->tokens = toolbox_tokens(offered, box->set.count);
    box->saved_tokens = whole - box->tokens;
    box->offered = offered;
}

enum db_status toolbox_load(struct db *db, const char *org, struct toolbox **box)
{
    struct toolbox *made = calloc(1, sizeof(*made));
    if (made == NULL)
        abort();
    made->refs = 1;
    made->loaded_ms = clock_mono_ms(); /* before it is read: a change meanwhile is a change after */
    memcpy(made->org, org, strnlen(org, sizeof(made->org) - 1));
    arena_init(&made->arena);
    enum db_status status = tool_set_load(db, &made->arena, org, &made->set);
    if (status != DB_OK) {
        toolbox_unref(made);
        return status;
    }
    if (made->set.count > FD_TOOLS_MAX)
        made->set.count = FD_TOOLS_MAX;
    offer(made);
    *box = made;
    return DB_OK;
}

struct toolbox *toolbox_ref(struct toolbox *box)
{
    box->refs++;
    return box;
}

void toolbox_unref(struct toolbox *box)
{
    if (box == NULL || --box->refs > 0)
        return;
    arena_wipe(&box->arena); /* its tools' secrets are open in it */
    free(box);
}

/* -- many ----------------------------------------------------------------------------------- */

static void unref(void *box)
{
    toolbox_unref(box);
}

struct org_cache *toolbox_cache_new(void)
{
    return org_cache_new(unref);
}

struct toolbox *toolbox_cache_get(struct org_cache *boxes, const char *org)
{
    struct toolbox *box = org_cache_get(boxes, org);
    return box != NULL ? toolbox_ref(box) : NULL;
}

void toolbox_cache_put(struct org_cache *boxes, struct toolbox *box)
{
    org_cache_put(boxes, box->org, toolbox_ref(box), box->loaded_ms);
}
