/* Pipeline: statements and a Sync, sent and answered in one round trip; with the connection
 * that they are sent on. Private to db/. */
#ifndef FD_DB_PIPELINE_H
#define FD_DB_PIPELINE_H

#include "db/db.h"

#include <stddef.h>

/* The server keeps a statement's plan, and those of the foreign keys' checks, as they
 * were best when the connection was young. In a new installation that is over empty
 * tables, where any index of the organisation looks as good as the key: every answer
 * would read all of its organisation's rows until an ANALYZE comes by. So plans are made
 * anew after so many transactions, and whenever they have become so many times more. */
#define REPLAN_FIRST  64
#define REPLAN_FACTOR 8

struct db {
    char *url;
    char *application_name;
    PGconn *conn;
    bool pooled; /* statements have no names: the next transaction's server may not know them */
    const struct db_statement **prepared;
    size_t prepared_count;
    size_t prepared_cap;
    uint64_t transactions; /* on this connection */
    uint64_t replan_at;    /* that many */
    bool unit;             /* db_unit_begin(): a savepoint of that name is always set */
    bool nested;           /* db_begin() within it */
    char error[512];
    char sqlstate[6];
};

struct pipeline_step {
    const struct db_statement *statement;
    const char *const *params;
    bool prepares; /* a Parse of its name goes in the same pipeline */
};

/* The last step's result; the first failure ends it. */
enum db_status pipeline_run(struct db *db, struct pipeline_step *steps, size_t count,
                            PGresult **result);
/* What a result that is no success means, logged where it is a fault of ours. */
enum db_status pipeline_failed(struct db *db, const char *statement, const PGresult *result);
bool pipeline_is_fine(const PGresult *result);
/* Says why, and lets the connection go. */
enum db_status pipeline_lost(struct db *db, const char *why);
void pipeline_drop(struct db *db);
/* Of db_error(), whose SQLSTATE stays. */
void pipeline_explain(struct db *db, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
