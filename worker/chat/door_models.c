#include "chat/door_models.h"

#include <stdlib.h>
#include <string.h>

/* The vendor that stands before the slash, else who serves it. */
static void write_owner(struct fd_json_writer *w, const char *id, const char *server)
{
    const char *slash = strchr(id, '/');
    fd_jw_key(w, "owned_by");
    if (slash != NULL)
        fd_jw_string(w, id, (size_t)(slash - id));
    else
        fd_jw_cstring(w, server);
}

/* When a model was made is not known here; the member is required. */
static void write_model(struct fd_json_writer *w, const char *id, const char *server)
{
    fd_jw_object(w);
    fd_jw_member(w, "id", id);
    fd_jw_member(w, "object", "model");
    fd_jw_member_int(w, "created", 0);
    write_owner(w, id, server);
    fd_jw_end_object(w);
}

static bool write_one(struct fd_json_writer *w, const struct model_pool *pool, const char *model)
{
    if (strcmp(model, "auto") == 0) {
        write_model(w, "auto", "frontdesk");
        return true;
    }
    for (size_t i = 0; i < pool->count; i++) {
        if (strcmp(pool->list[i].id, model) == 0) {
            write_model(w, model, pool->list[i].endpoint->name);
            return true;
        }
    }
    return false;
}

static void write_all(struct fd_json_writer *w, const struct model_pool *pool)
{
    fd_jw_object(w);
    fd_jw_member(w, "object", "list");
    fd_jw_key(w, "data");
    fd_jw_array(w);
    write_model(w, "auto", "frontdesk");
    for (size_t i = 0; i < pool->count; i++)
        write_model(w, pool->list[i].id, pool->list[i].endpoint->name);
    fd_jw_end_array(w);
    fd_jw_end_object(w);
}

bool door_models(struct llm_endpoints *endpoints, const struct tenant *tenant, const char *model,
                 struct buf *out)
{
    struct model_pool *pool = malloc(sizeof(*pool));
    struct fd_json_writer w;
    bool found = true;
    if (pool == NULL)
        abort();
    model_pool_fill(pool, endpoints, tenant);
    buf_json(out, &w);
    if (model != NULL)
        found = write_one(&w, pool, model);
    else
        write_all(&w, pool);
    free(pool);
    return buf_json_end(out, &w) && found;
}
