#include "tenant/ai_settings.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NODES_MAX 65536 /* of all settings together */

#define COLUMNS                                                                                    \
    "enabled boolean, enabled_models jsonb, default_model_id text, routing text, fast_model text," \
    " reasoning_model text, fallback_model text, sentiment_model text,"                            \
    " temperature double precision, max_tokens int, max_chunk_tokens int, max_chunks int,"         \
    " max_context_tokens int, reasoning_min_tokens int, reasoning_min_chunks int,"                 \
    " intent_words jsonb, route_version int, route_sticky boolean,"                                \
    " route_shadow jsonb, ab_split jsonb, model_presets jsonb, model_suggestions jsonb,"           \
    " region_allow_list text[], system_prompt text, languages text[]"

static const struct db_statement make_row = {
    "ai_settings_make", "INSERT INTO org_ai_settings (org_id) VALUES ($1) ON CONFLICT DO NOTHING",
    1};
static const struct db_statement read_row = {
    "ai_settings_read",
    "SELECT to_jsonb(s) FROM organizations o LEFT JOIN org_ai_settings s ON s.org_id = o.id"
    " WHERE o.id = $1",
    1};
static const struct db_statement lock_row = {
    "ai_settings_lock", "SELECT to_jsonb(s) FROM org_ai_settings s WHERE org_id = $1 FOR UPDATE",
    1};
static const struct db_statement write_row = {
    "ai_settings_write",
    "UPDATE org_ai_settings SET (enabled, enabled_models, default_model_id, routing, fast_model,"
    "  reasoning_model, fallback_model, sentiment_model, temperature, max_tokens, max_chunk_tokens,"
    "  max_chunks, max_context_tokens, reasoning_min_tokens, reasoning_min_chunks, intent_words,"
    "  route_version, route_sticky, route_shadow, ab_split, model_presets, model_suggestions,"
    "  region_allow_list, system_prompt, languages, updated_at)"
    " = (SELECT n.enabled, n.enabled_models, n.default_model_id, n.routing, n.fast_model,"
    "  n.reasoning_model, n.fallback_model, n.sentiment_model, n.temperature, n.max_tokens,"
    "  n.max_chunk_tokens, n.max_chunks, n.max_context_tokens, n.reasoning_min_tokens,"
    "  n.reasoning_min_chunks, n.intent_words, n.route_version, n.route_sticky, n.route_shadow,"
    "  n.ab_split, n.model_presets, n.model_suggestions, n.region_allow_list, n.system_prompt, "
    "n.languages,"
    "  now()"
    "  FROM jsonb_to_record($2::jsonb) AS n (" COLUMNS "))"
    " WHERE org_id = $1",
    2};

/* What is to change, of the settings as they are under the lock. False: the fault. */
typedef bool patch_fn(struct arena *a, const struct fd_json *now, const void *arg,
                      struct buf *patch, struct ai_fault *fault);

static const struct fd_json *parse(struct arena *a, const char *text)
{
    struct fd_json_fault fault;
    return fd_json_parse(text, strlen(text), (struct fd_json_limits){.nodes = NODES_MAX},
                         arena_allocator(a), &fault);
}

static const struct fd_json *empty_object(struct arena *a)
{
    return parse(a, "{}");
}

/* The row as an object; {} without one. NULL: it cannot be read. */
static const struct fd_json *row_of(struct arena *a, const PGresult *result)
{
    const char *text = PQntuples(result) > 0 ? db_text(result, 0, 0) : NULL;
    return text != NULL ? parse(a, text) : empty_object(a);
}

static void time_text(char out[32])
{
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static bool merge(struct arena *a, const struct fd_json *now, const struct fd_json *patch,
                  struct buf *out, struct ai_fault *fault)
{
    char at[32];
    time_text(at);
    buf_reset(out);
    return ai_settings_merge(a, now, patch, at, out, fault);
}

enum db_status ai_settings_read(struct db *db, const char *org, struct buf *out)
{
    struct ai_fault fault;
    PGresult *result;
    struct arena a;

    enum db_status status = db_query(db, org, &read_row, &org, &result);
    if (status != DB_OK) {
        return status;
    }
    arena_init(&a);
    const struct fd_json *now = row_of(&a, result);
    if (PQntuples(result) == 0) {
        db_explain(db, "there is no such organisation");
        status = DB_FAILED;
    } else if (now == NULL || !merge(&a, now, empty_object(&a), out, &fault)) {
        db_explain(db, "the stored settings cannot be read");
        status = DB_FAILED;
    }
    arena_free(&a);
    PQclear(result);
    return status;
}

/* -- changing ---------------------------------------------------------------------- */

/* In the open transaction: the settings are locked until its end. */
static enum db_status change_locked(struct db *db, const char *org, patch_fn *make_patch,
                                    const void *arg, struct ai_fault *fault, struct buf *out)
{
    PGresult *result;
    struct buf text;
    struct arena a;

    enum db_status status = db_exec(db, &make_row, &org, NULL);
    if (status == DB_OK) {
        status = db_exec(db, &lock_row, &org, &result);
    }
    if (status != DB_OK) {
        return status;
    }
    arena_init(&a);
    buf_init(&text, AI_SETTINGS_BYTES_MAX);
    const struct fd_json *now = row_of(&a, result);
    PQclear(result);
    if (now == NULL) {
        ai_refuse(fault, "", "the stored settings cannot be read");
    } else if (make_patch(&a, now, arg, &text, fault)) {
        const struct fd_json *patch = parse(&a, text.data);
        if (patch == NULL) {
            ai_refuse(fault, "", "the change is too long");
        } else if (merge(&a, now, patch, out, fault)) {
            const char *params[] = {org, out->data};
            status = db_exec(db, &write_row, params, NULL);
        }
    }
    buf_free(&text);
    arena_free(&a);
    return status;
}

static enum db_status change(struct db *db, const char *org, patch_fn *make_patch, const void *arg,
                             struct ai_fault *fault, struct buf *out)
{
    *fault = (struct ai_fault){0};
    enum db_status status = db_begin(db, org);
    if (status == DB_OK) {
        status = change_locked(db, org, make_patch, arg, fault, out);
    }
    if (status == DB_OK && fault->detail[0] == '\0') {
        return db_commit(db);
    }
    db_rollback(db);
    return status;
}

static bool given_patch(struct arena *a, const struct fd_json *now, const void *arg,
                        struct buf *patch, struct ai_fault *fault)
{
    struct fd_json_writer w;
    (void)a;
    (void)now;
    buf_json(patch, &w);
    fd_jw_json(&w, arg);
    return buf_json_end(patch, &w) ? true : ai_refuse(fault, "", "the change is too long");
}

enum db_status ai_settings_change(struct db *db, const char *org, const struct fd_json *patch,
                                  struct ai_fault *fault, struct buf *out)
{
    return change(db, org, given_patch, patch, fault, out);
}

/* -- the list of models ------------------------------------------------------------ */

struct model_change {
    const char *id;
    const char *label;
    bool remove;
};

static void write_entry(struct fd_json_writer *w, const char *id, bool is_default,
                        const char *label, const char *at)
{
    fd_jw_object(w);
    fd_jw_member(w, "model_id", id);
    fd_jw_member_bool(w, "is_default", is_default);
    if (label != NULL && *label != '\0') {
        fd_jw_member(w, "custom_label", label);
    }
    if (at != NULL) {
        fd_jw_member(w, "enabled_at", at);
    }
    fd_jw_end_object(w);
}

/* The list without the model, or with it; *was tells whether it was there. */
static void write_list(struct fd_json_writer *w, const struct fd_json *list,
                       const struct model_change *change, bool *was)
{
    size_t count = 0;

    fd_jw_array(w);
    for (const struct fd_json *m = list != NULL ? list->child : NULL; m != NULL; m = m->next) {
        const char *id = fd_json_string(m, "model_id"), *label = fd_json_string(m, "custom_label");
        if (id == NULL) {
            continue;
        }
        bool same = strcmp(id, change->id) == 0;
        *was = *was || same;
        count++;
        if (!same || !change->remove) {
            write_entry(w, id, fd_json_bool(m, "is_default", false),
                        same && change->label != NULL ? change->label : label,
                        fd_json_string(m, "enabled_at"));
        }
    }
    if (!change->remove && !*was) {
        write_entry(w, change->id, count == 0, change->label, NULL);
    }
    fd_jw_end_array(w);
}

static bool model_patch(struct arena *a, const struct fd_json *now, const void *arg,
                        struct buf *patch, struct ai_fault *fault)
{
    const struct model_change *change = arg;
    const char *now_default = fd_json_string(now, "default_model_id");
    struct fd_json_writer w;
    bool was = false;

    (void)a;
    if (change->remove && now_default != NULL && strcmp(now_default, change->id) == 0) {
        return ai_refuse(fault, "enabled_models", "Default model must be enabled");
    }
    buf_json(patch, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "enabled_models");
    write_list(&w, fd_json_get(now, "enabled_models"), change, &was);
    fd_jw_end_object(&w);
    if (!buf_json_end(patch, &w)) {
        return ai_refuse(fault, "", "the change is too long");
    }
    return was || !change->remove
               ? true
               : ai_refuse(fault, "enabled_models", "Model %s is not enabled for this organization",
                           change->id);
}

enum db_status ai_models_enable(struct db *db, const char *org, const char *model,
                                const char *label, struct ai_fault *fault, struct buf *out)
{
    const struct model_change arg = {.id = model, .label = label};
    return change(db, org, model_patch, &arg, fault, out);
}

enum db_status ai_models_disable(struct db *db, const char *org, const char *model,
                                 struct ai_fault *fault, struct buf *out)
{
    const struct model_change arg = {.id = model, .remove = true};
    return change(db, org, model_patch, &arg, fault, out);
}
