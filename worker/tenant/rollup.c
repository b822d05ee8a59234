#include "tenant/rollup.h"

#define BATCH 100 /* of the longest, in the time of a statement */

#define NUMBER_OF(x) #x
#define TEXT_OF(x)   NUMBER_OF(x)

static const struct db_statement conversations = {"rollup_conversations",
                                                  "SELECT platform_roll_up(" TEXT_OF(BATCH) ")", 0};
static const struct db_statement resolutions = {"rollup_resolutions",
                                                "SELECT platform_decide(" TEXT_OF(BATCH) ")", 0};
/* A call that waited for somebody's word may have run days after it was asked for. */
static const struct db_statement orgs = {
    "rollup_tool_orgs", "SELECT org_id FROM platform_tool_orgs(now() - interval '3 days')", 0};
static const struct db_statement tools = {"rollup_tools",
                                          "SELECT recount_tools((now() AT TIME ZONE 'UTC')::date - "
                                          "3, (now() AT TIME ZONE 'UTC')::date + 1, false)",
                                          0};

static enum db_status do_batch(struct db *db, const struct db_statement *statement, bool *more)
{
    PGresult *row;

    enum db_status status = db_query(db, NULL, statement, NULL, &row);
    *more = status == DB_OK && db_int(row, 0, 0, 0) == BATCH;
    PQclear(row);
    return status;
}

enum db_status rollup_conversations(struct db *db, bool *more)
{
    return do_batch(db, &conversations, more);
}

enum db_status rollup_resolutions(struct db *db, bool *more)
{
    return do_batch(db, &resolutions, more);
}

enum db_status rollup_tools(struct db *db)
{
    PGresult *rows;

    enum db_status status = db_query(db, NULL, &orgs, NULL, &rows);
    for (int row = 0; status == DB_OK && row < PQntuples(rows); row++)
        status = db_query(db, db_text(rows, row, 0), &tools, NULL, NULL);
    PQclear(rows);
    return status;
}
