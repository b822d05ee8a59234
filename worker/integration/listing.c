#include "integration/listing.h"

#include <string.h>

enum db_status listing_write(struct db *db, const char *org, const struct db_statement *statement,
                             const char *const *params, listing_row *write, struct buf *json)
{
    struct fd_json_writer w;
    PGresult *rows = NULL;
    enum db_status status = db_query(db, org, statement, params, &rows);

    if (status != DB_OK)
        return status;
    buf_json(json, &w);
    fd_jw_array(&w);
    for (int row = 0; row < PQntuples(rows); row++) {
        fd_jw_object(&w);
        write(&w, rows, row);
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    PQclear(rows);
    if (buf_json_end(json, &w))
        return DB_OK;
    db_explain(db, "the list is too long: ask for less of it");
    return DB_FAILED;
}

void listing_member_json(struct fd_json_writer *w, const char *key, const char *json)
{
    fd_jw_key(w, key);
    if (json != NULL)
        fd_jw_raw(w, json, strlen(json));
    else
        fd_jw_null(w);
}
