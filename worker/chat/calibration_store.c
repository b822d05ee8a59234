#include "chat/calibration_store.h"

#include <stdio.h>

/* Others have learned as well: samples of both count. */
static const struct db_statement tell_statement = {
    "calibration_tell",
    "INSERT INTO model_calibration AS c (model_id, ratio, samples)"
    " VALUES ($1, $2::float8, $3::bigint)"
    " ON CONFLICT (model_id) DO UPDATE SET updated_at = now(), samples = c.samples + $3::bigint,"
    "   ratio = c.ratio + (EXCLUDED.ratio - c.ratio)"
    "           * least(0.5, $3::float8 / (c.samples + $3::float8))",
    3};
static const struct db_statement read_statement = {
    "calibration_read",
    "SELECT model_id, ratio, samples FROM model_calibration ORDER BY updated_at DESC LIMIT $1::int",
    1};

static enum db_status tell_one(struct db *db, const struct calibration_model *model)
{
    char ratio[32], samples[DB_NUMBER_SIZE];
    snprintf(ratio, sizeof(ratio), "%.6f", model->ratio);
    const char *params[] = {model->model, ratio, db_number(samples, model->untold)};
    return db_query(db, NULL, &tell_statement, params, NULL);
}

enum db_status calibration_tell(struct db *db, const struct calibration *told)
{
    enum db_status status = DB_OK;
    for (size_t i = 0; i < told->count && status == DB_OK; i++) {
        if (told->list[i].untold > 0)
            status = tell_one(db, &told->list[i]);
    }
    return status;
}

enum db_status calibration_read(struct db *db, struct calibration *known)
{
    char most[DB_NUMBER_SIZE];
    const char *params[] = {db_number(most, CALIBRATION_MODELS_MAX)};
    PGresult *rows;
    enum db_status status = db_query(db, NULL, &read_statement, params, &rows);
    if (status != DB_OK)
        return status;
    known->count = 0;
    for (int row = 0; row < PQntuples(rows); row++)
        calibration_take(known, db_text(rows, row, 0), db_double(rows, row, 1, 1),
                         db_int(rows, row, 2, 0));
    PQclear(rows);
    return DB_OK;
}
