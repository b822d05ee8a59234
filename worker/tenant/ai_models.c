#include "tenant/ai_models.h"

#include "tenant/ai_presets.h"

#include <string.h>

/* What is enabled without being in the catalogue is listed as well. */
static const struct db_statement list_models = {
    "ai_models_list",
    "WITH s AS (SELECT * FROM org_ai_settings WHERE org_id = $1::uuid), e AS ("
    "  SELECT m.entry->>'model_id' AS id, m.entry->>'custom_label' AS label,"
    "         m.entry->>'model_id' = s.default_model_id AS is_default"
    "    FROM s, jsonb_array_elements(s.enabled_models) AS m (entry)"
    "   WHERE jsonb_typeof(m.entry->'model_id') = 'string'"
    ")"
    "SELECT id, coalesce(c.name, id), c.provider,"
    "       CASE WHEN id LIKE '%/%' THEN split_part(id, '/', 1) ELSE c.provider END AS vendor,"
    "       e.label, e.id IS NOT NULL, coalesce(e.is_default, false), c.context_length,"
    "       array_to_json(c.modalities), c.region,"
    "       model_in_regions(c.region, coalesce((SELECT region_allow_list FROM s), '{}')),"
    "       p.input_per_mtok, p.output_per_mtok, p.cache_read_per_mtok, p.cache_write_per_mtok,"
    "       model_price_hint(p.input_per_mtok, p.output_per_mtok, c.context_length),"
    "       p.effective_from"
    "  FROM (SELECT model_id AS id, * FROM model_catalog) c FULL JOIN e USING (id)"
    "  LEFT JOIN LATERAL model_price(c.model_id) p ON true"
    " ORDER BY c.provider NULLS LAST, vendor, id",
    1};

static const struct db_statement read_settings = {
    "ai_models_settings",
    "SELECT s.default_model_id, s.routing, array_to_json(s.region_allow_list), s.model_presets,"
    "       s.model_suggestions, jsonb_array_length(s.enabled_models) > 0"
    "  FROM org_ai_settings s WHERE org_id = $1",
    1};

enum db_status ai_models_list(struct db *db, const char *org, PGresult **rows)
{
    return db_query(db, org, &list_models, &org, rows);
}

/* -- as JSON ----------------------------------------------------------------------- */

static void write_number(struct fd_json_writer *w, const char *key, const PGresult *rows, int row,
                         int column)
{
    int64_t value = db_int(rows, row, column, -1);

    fd_jw_key(w, key);
    if (value >= 0) {
        fd_jw_int(w, value);
    } else {
        fd_jw_null(w);
    }
}

/* Dollars a million tokens. */
static void write_price(struct fd_json_writer *w, const char *key, const PGresult *rows, int row,
                        int column)
{
    int64_t micro = db_int(rows, row, column, -1);

    fd_jw_key(w, key);
    if (micro >= 0) {
        fd_jw_double(w, (double)micro / 1e6);
    } else {
        fd_jw_null(w);
    }
}

static void write_json(struct fd_json_writer *w, const char *key, const char *json,
                       const char *otherwise)
{
    fd_jw_member_raw(w, key, json != NULL ? json : otherwise);
}

static void write_row(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_object(w);
    fd_jw_member(w, "model_id", db_text(rows, row, AI_MODEL_ID));
    fd_jw_member(w, "name", db_text(rows, row, AI_MODEL_NAME));
    fd_jw_member(w, "provider", db_text(rows, row, AI_MODEL_PROVIDER));
    fd_jw_member(w, "vendor", db_text(rows, row, AI_MODEL_VENDOR));
    fd_jw_member(w, "custom_label", db_text(rows, row, AI_MODEL_LABEL));
    fd_jw_member_bool(w, "enabled", db_true(rows, row, AI_MODEL_ENABLED));
    fd_jw_member_bool(w, "is_default", db_true(rows, row, AI_MODEL_IS_DEFAULT));
    write_number(w, "context_length", rows, row, AI_MODEL_CONTEXT);
    write_json(w, "modalities", db_text(rows, row, AI_MODEL_MODALITIES), "null");
    fd_jw_member(w, "region", db_text(rows, row, AI_MODEL_REGION));
    fd_jw_member_bool(w, "allowed", db_true(rows, row, AI_MODEL_ALLOWED));
    fd_jw_member(w, "price_hint", db_text(rows, row, AI_MODEL_HINT));
    fd_jw_key(w, "usd_per_mtok");
    fd_jw_object(w);
    write_price(w, "input", rows, row, AI_MODEL_INPUT);
    write_price(w, "output", rows, row, AI_MODEL_OUTPUT);
    write_price(w, "cache_read", rows, row, AI_MODEL_CACHE_READ);
    write_price(w, "cache_write", rows, row, AI_MODEL_CACHE_WRITE);
    fd_jw_end_object(w);
    fd_jw_member(w, "effective_from", db_text(rows, row, AI_MODEL_EFFECTIVE_FROM));
    fd_jw_end_object(w);
}

/* The enabled and allowed model that is meant, NULL if there is none. */
static const char *usable(const PGresult *rows, const char *wanted)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        const char *id = db_text(rows, row, AI_MODEL_ID);
        if (db_true(rows, row, AI_MODEL_ENABLED) && db_true(rows, row, AI_MODEL_ALLOWED) &&
            ai_model_is(id, wanted)) {
            return id;
        }
    }
    return NULL;
}

static void write_presets(struct fd_json_writer *w, const PGresult *rows, const struct fd_json *own)
{
    fd_jw_key(w, "presets");
    fd_jw_object(w);
    for (size_t i = 0; ai_presets[i] != NULL; i++) {
        const char *models[AI_PRESET_MODELS_MAX];
        size_t count = ai_preset_models(own, ai_presets[i], models);
        fd_jw_key(w, ai_presets[i]);
        fd_jw_array(w);
        for (size_t k = 0; k < count; k++) {
            const char *id = usable(rows, models[k]);
            if (id != NULL) {
                fd_jw_cstring(w, id);
            }
        }
        fd_jw_end_array(w);
    }
    fd_jw_end_object(w);
}

static void write_suggestions(struct fd_json_writer *w, const PGresult *rows,
                              const struct fd_json *own)
{
    fd_jw_key(w, "suggestions");
    fd_jw_object(w);
    for (size_t i = 0; ai_tasks[i] != NULL; i++) {
        const char *id = usable(rows, ai_task_model(own, ai_tasks[i]));
        if (id != NULL) {
            fd_jw_member(w, ai_tasks[i], id);
        }
    }
    fd_jw_end_object(w);
}

static const struct fd_json *parse(struct arena *a, const char *text)
{
    struct fd_json_fault fault;
    return text != NULL ? fd_json_parse(text, strlen(text), (struct fd_json_limits){0},
                                        arena_allocator(a), &fault)
                        : NULL;
}

static bool write_all(struct buf *out, const PGresult *rows, const PGresult *settings)
{
    bool stored = PQntuples(settings) > 0;
    const char *routing = stored ? db_text(settings, 0, 1) : "auto";
    struct fd_json_writer w;
    struct arena a;

    arena_init(&a);
    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "models");
    fd_jw_array(&w);
    for (int row = 0; row < PQntuples(rows); row++) {
        write_row(&w, rows, row);
    }
    fd_jw_end_array(&w);
    fd_jw_member_bool(&w, "restricted", stored && db_true(settings, 0, 5));
    fd_jw_member(&w, "default_model_id", stored ? db_text(settings, 0, 0) : NULL);
    fd_jw_member(&w, "routing", routing);
    write_json(&w, "region_allow_list", stored ? db_text(settings, 0, 2) : NULL, "[]");
    write_presets(&w, rows, parse(&a, stored ? db_text(settings, 0, 3) : NULL));
    write_suggestions(&w, rows, parse(&a, stored ? db_text(settings, 0, 4) : NULL));
    fd_jw_end_object(&w);
    arena_free(&a);
    return buf_json_end(out, &w);
}

enum db_status ai_models_json(struct db *db, const char *org, struct buf *out)
{
    PGresult *rows, *settings;

    enum db_status status = ai_models_list(db, org, &rows);
    if (status != DB_OK) {
        return status;
    }
    status = db_query(db, org, &read_settings, &org, &settings);
    if (status == DB_OK) {
        if (!write_all(out, rows, settings)) {
            db_explain(db, "the list of models is too long");
            status = DB_FAILED;
        }
        PQclear(settings);
    }
    PQclear(rows);
    return status;
}
