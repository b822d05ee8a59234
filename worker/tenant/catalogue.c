#include "tenant/catalogue.h"

#include <stdlib.h>

static const struct db_statement put = {
    "catalogue_put",
    "WITH listed AS ("
    "  SELECT * FROM jsonb_to_recordset($1::jsonb->'models') AS m (model_id text, provider text,"
    "    name text, context_length int, modalities jsonb, region text, usd_per_mtok jsonb)"
    "), models AS ("
    "  INSERT INTO model_catalog (model_id, provider, name, context_length, modalities, region)"
    "  SELECT model_id, provider, name, context_length,"
    "         ARRAY(SELECT jsonb_array_elements_text(coalesce(modalities, '[\"text\"]'))), region"
    "    FROM listed"
    "  ON CONFLICT (model_id) DO UPDATE SET provider = excluded.provider, name = excluded.name,"
    "    context_length = excluded.context_length, modalities = excluded.modalities,"
    "    region = excluded.region, updated_at = now()"
    ")"
    " INSERT INTO model_prices (model_id, effective_from, input_per_mtok, output_per_mtok,"
    "                           cache_read_per_mtok, cache_write_per_mtok)"
    " SELECT model_id, ($1::jsonb->>'effective_from')::date,"
    "        round((usd_per_mtok->>'input')::numeric * 1000000),"
    "        round((usd_per_mtok->>'output')::numeric * 1000000),"
    "        round((usd_per_mtok->>'cache_read')::numeric * 1000000),"
    "        round((usd_per_mtok->>'cache_write')::numeric * 1000000)"
    "   FROM listed"
    " ON CONFLICT (model_id, effective_from) DO UPDATE SET"
    "   input_per_mtok = excluded.input_per_mtok, output_per_mtok = excluded.output_per_mtok,"
    "   cache_read_per_mtok = excluded.cache_read_per_mtok,"
    "   cache_write_per_mtok = excluded.cache_write_per_mtok",
    1};

enum db_status catalogue_load(struct db *db, const char *json, int64_t *written)
{
    PGresult *result;

    enum db_status status = db_query(db, NULL, &put, &json, &result);
    if (status == DB_OK) {
        *written = strtoll(PQcmdTuples(result), NULL, 10);
        PQclear(result);
    }
    return status;
}
