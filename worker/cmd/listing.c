#include "cmd/listing.h"

bool listing_write(struct buf *json, const PGresult *rows, listing_row *write)
{
    struct fd_json_writer w;

    buf_json(json, &w);
    fd_jw_array(&w);
    for (int row = 0; row < PQntuples(rows); row++) {
        fd_jw_object(&w);
        write(&w, rows, row);
        fd_jw_end_object(&w);
    }
    fd_jw_end_array(&w);
    return buf_json_end(json, &w);
}
