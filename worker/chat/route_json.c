#include "chat/route_json.h"

#include <math.h>

static void write_reasons(struct fd_json_writer *w, const struct route *route)
{
    fd_jw_key(w, "reasons");
    fd_jw_array(w);
    for (size_t i = 0; i < route->reason_count; i++)
        fd_jw_cstring(w, route->reasons[i]);
    fd_jw_end_array(w);
}

void route_write(struct fd_json_writer *w, const struct route *route)
{
    const struct route_trial *trial = &route->trial;
    fd_jw_member(w, "tier", route_tier_name(route->tier));
    fd_jw_member(w, "intent", route->intent);
    write_reasons(w, route);
    fd_jw_member_int(w, "version", route->version);
    if (route->sought) {
        fd_jw_key(w, "grounding");
        fd_jw_double(w, round(route->grounding * 1e3) / 1e3);
    }
    if (route->arm != NULL) {
        fd_jw_member(w, "split", route->split);
        fd_jw_member(w, "arm", route->arm);
    }
    if (trial->intent == NULL)
        return;
    fd_jw_key(w, "trial");
    fd_jw_object(w);
    fd_jw_member(w, "tier", route_tier_name(trial->tier));
    fd_jw_member(w, "intent", trial->intent);
    fd_jw_member_int(w, "version", trial->version);
    fd_jw_end_object(w);
}

void route_write_chunks(struct fd_json_writer *w, const struct chunk_set *set)
{
    fd_jw_key(w, "chunks");
    fd_jw_array(w);
    for (size_t i = 0; i < set->count; i++) {
        const struct chunk *chunk = &set->chunks[i];
        fd_jw_object(w);
        fd_jw_member_int(w, "index", chunk->index);
        fd_jw_member_int(w, "estimated_tokens", chunk->estimated_tokens);
        fd_jw_key(w, "snippet_ids");
        fd_jw_array(w);
        for (size_t k = 0; k < chunk->snippet_count; k++)
            fd_jw_cstring(w, chunk->snippet_ids[k]);
        fd_jw_end_array(w);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

static const struct {
    enum snippet_reason reason;
    const char *name;
} found_names[] = {{SNIPPET_WORDS, "words"}, {SNIPPET_TITLE, "title"}, {SNIPPET_ALIKE, "alike"},
                   {SNIPPET_NEW, "new"},     {SNIPPET_NEAR, "near"},   {SNIPPET_MEANING, "meaning"},
                   {SNIPPET_NAMED, "named"}};
#define FOUND_NAMES (sizeof(found_names) / sizeof(found_names[0]))

void route_write_found(struct fd_json_writer *w, unsigned reasons)
{
    fd_jw_array(w);
    for (size_t i = 0; i < FOUND_NAMES; i++) {
        if ((reasons & found_names[i].reason) != 0)
            fd_jw_cstring(w, found_names[i].name);
    }
    fd_jw_end_array(w);
}

const char *route_found(struct arena *a, unsigned reasons)
{
    const char *text = "";
    for (size_t i = 0; i < FOUND_NAMES; i++) {
        if ((reasons & found_names[i].reason) != 0)
            text = arena_printf(a, "%s%s%s", text, *text != '\0' ? ", " : "", found_names[i].name);
    }
    return text;
}

void route_write_candidates(struct fd_json_writer *w, const struct model_plan *plan)
{
    fd_jw_array(w);
    for (size_t i = 0; i < plan->count; i++) {
        fd_jw_object(w);
        fd_jw_member(w, "model", plan->candidates[i].model);
        fd_jw_member(w, "provider", plan->candidates[i].endpoint->name);
        fd_jw_member(w, "tier", route_tier_name(plan->candidates[i].tier));
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}
