#include "tenant/catalogue.h"

#include "core/buf.h"

#include <stdlib.h>

#define JSON_MAX (16u << 20)

/* A price is written where it differs from the one that holds at its date, so that a daily
 * synchronisation adds nothing on a day without news. */
static const struct db_statement store = {
    "catalogue_store",
    "WITH listed AS ("
    "  SELECT m.*, coalesce($2::date, (now() AT TIME ZONE 'UTC')::date) AS day"
    "    FROM jsonb_to_recordset($1::jsonb) AS m (id text, provider text, name text, context int,"
    "         modalities jsonb, region text, tools boolean, said boolean, input bigint,"
    "         output bigint, cache_read bigint, cache_write bigint)"
    "), models AS ("
    "  INSERT INTO model_catalog AS c (model_id, provider, name, context_length, modalities,"
    "                                  region, supports_tools)"
    "  SELECT id, provider, coalesce(name, id), context,"
    "         ARRAY(SELECT jsonb_array_elements_text(coalesce(modalities, '[\"text\"]'))), region,"
    "         tools"
    "    FROM listed ORDER BY id"
    "  ON CONFLICT (model_id) DO UPDATE SET provider = excluded.provider,"
    "    name = CASE WHEN excluded.name = c.model_id THEN c.name ELSE excluded.name END,"
    "    context_length = coalesce(excluded.context_length, c.context_length),"
    "    modalities = CASE WHEN excluded.modalities = '{text}' THEN c.modalities"
    "                      ELSE excluded.modalities END,"
    "    region = coalesce(excluded.region, c.region),"
    "    supports_tools = coalesce(excluded.supports_tools, c.supports_tools), updated_at = now()"
    ")"
    " INSERT INTO model_prices AS p (model_id, effective_from, input_per_mtok, output_per_mtok,"
    "                                cache_read_per_mtok, cache_write_per_mtok)"
    " SELECT l.id, l.day, l.input, l.output, l.cache_read, l.cache_write"
    "   FROM listed l LEFT JOIN LATERAL ("
    "     SELECT * FROM model_prices o WHERE o.model_id = l.id AND o.effective_from <= l.day"
    "      ORDER BY o.effective_from DESC LIMIT 1) o ON true"
    "  WHERE l.said AND (l.input, l.output, l.cache_read, l.cache_write) IS DISTINCT FROM"
    "        (o.input_per_mtok, o.output_per_mtok, o.cache_read_per_mtok, o.cache_write_per_mtok)"
    "  ORDER BY l.id"
    " ON CONFLICT (model_id, effective_from) DO UPDATE SET"
    "   input_per_mtok = excluded.input_per_mtok, output_per_mtok = excluded.output_per_mtok,"
    "   cache_read_per_mtok = excluded.cache_read_per_mtok,"
    "   cache_write_per_mtok = excluded.cache_write_per_mtok",
    2};

static void write_known(struct fd_json_writer *w, const char *key, int64_t value)
{
    if (value >= 0) {
        fd_jw_member_int(w, key, value);
    }
}

static void write_model(struct fd_json_writer *w, const struct catalogue_model *model)
{
    fd_jw_object(w);
    fd_jw_member(w, "id", model->id);
    fd_jw_member(w, "provider", model->provider);
    fd_jw_member(w, "name", model->name);
    write_known(w, "context", model->context_length);
    if (model->modality_count > 0) {
        fd_jw_key(w, "modalities");
        fd_jw_array(w);
        for (size_t i = 0; i < model->modality_count; i++) {
            fd_jw_cstring(w, model->modalities[i]);
        }
        fd_jw_end_array(w);
    }
    fd_jw_member(w, "region", model->region);
    if (model->tools >= 0) {
        fd_jw_member_bool(w, "tools", model->tools);
    }
    fd_jw_member_bool(w, "said", model->price.said);
    write_known(w, "input", model->price.input);
    write_known(w, "output", model->price.output);
    write_known(w, "cache_read", model->price.cache_read);
    write_known(w, "cache_write", model->price.cache_write);
    fd_jw_end_object(w);
}

enum db_status catalogue_store(struct db *db, const struct catalogue_list *list, int64_t *prices)
{
    struct fd_json_writer w;
    PGresult *result;
    struct buf json;

    buf_init(&json, JSON_MAX);
    buf_json(&json, &w);
    fd_jw_array(&w);
    for (size_t i = 0; i < list->count; i++) {
        write_model(&w, &list->models[i]);
    }
    fd_jw_end_array(&w);
    enum db_status status = DB_FAILED;
    if (buf_json_end(&json, &w)) {
        const char *params[] = {json.data, list->effective_from};
        status = db_query(db, NULL, &store, params, &result);
    } else {
        db_explain(db, "the list is too long");
    }
    buf_free(&json);
    if (status == DB_OK) {
        *prices = strtoll(PQcmdTuples(result), NULL, 10);
        PQclear(result);
    }
    return status;
}
