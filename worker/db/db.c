#include "db/db.h"

#include "db/pipeline.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For one transaction: behind a pooler the next one finds another server's session, and
 * this session another client. The server gives up before we do (pipeline.c). */
#define SET_ORG                                                                                    \
    "SELECT set_config('app.org_id', coalesce($1, ''), true),"                                     \
    "       set_config('statement_timeout', '15s', true),"                                         \
    "       set_config('lock_timeout', '5s', true),"                                               \
    "       set_config('idle_in_transaction_session_timeout', '30s', true),"                       \
    "       set_config('timezone', 'UTC', true)"

static const struct db_statement server_process = {"frontdesk_server", "SELECT pg_backend_pid()",
                                                   0};
static const struct db_statement set_org = {"frontdesk_set_org", SET_ORG, 1};
static const struct db_statement set_org_unhurried = {
    "frontdesk_set_org_unhurried", SET_ORG ", set_config('synchronous_commit', 'off', true)", 1};
/* Any record does: the commit of one brings all before it to the disk. */
static const struct db_statement settle = {
    "frontdesk_settle", "SELECT pg_logical_emit_message(true, 'frontdesk', '')", 0};
static const struct db_statement replan = {"frontdesk_replan", "DISCARD PLANS", 0};
static const struct db_statement begin = {"frontdesk_begin", "BEGIN", 0};
static const struct db_statement commit = {"frontdesk_commit", "COMMIT", 0};
static const struct db_statement rollback = {"frontdesk_rollback", "ROLLBACK", 0};
static const struct db_statement keep_mark = {"frontdesk_release", "RELEASE SAVEPOINT unit", 0};
static const struct db_statement set_mark = {"frontdesk_savepoint", "SAVEPOINT unit", 0};
static const struct db_statement to_mark = {"frontdesk_rollback_to", "ROLLBACK TO SAVEPOINT unit",
                                            0};

struct db *db_new(const char *url, const char *application_name)
{
    struct db *db = calloc(1, sizeof(*db));
    if (db == NULL) {
        abort();
    }
    db->url = strdup(url != NULL ? url : "");
    db->application_name = strdup(application_name);
    if (db->url == NULL || db->application_name == NULL) {
        abort();
    }
    return db;
}

void db_free(struct db *db)
{
    if (db == NULL) {
        return;
    }
    pipeline_drop(db);
    free(db->prepared);
    free(db->url);
    free(db->application_name);
    free(db);
}

const char *db_error(const struct db *db)
{
    return db->error;
}

const char *db_sqlstate(const struct db *db)
{
    return db->sqlstate;
}

/* libpq prints notices on stderr otherwise, where the log is. */
static void ignore_notice(void *arg, const PGresult *notice)
{
    (void)arg;
    (void)notice;
}

/* A server that went away while we were idle has said so, or closed: what speaks
 * unasked is opened anew, rather than failing the next statement. */
static bool is_quiet(const PGconn *conn)
{
    struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};
    return PQstatus(conn) == CONNECTION_OK && poll(&fd, 1, 0) == 0;
}

/* A pooler greets with a process number of its own making, which is not the server's. It may
 * give each transaction another server's session, so that none has our statements. */
static enum db_status look_for_pooler(struct db *db)
{
    struct pipeline_step step = {.statement = &server_process};
    PGresult *row;

    db->pooled = true;
    enum db_status status = pipeline_run(db, &step, 1, &row);
    if (status != DB_OK) {
        pipeline_drop(db);
        return status;
    }
    db->pooled = db_int(row, 0, 0, 0) != PQbackendPID(db->conn);
    PQclear(row);
    return DB_OK;
}

enum db_status db_connect(struct db *db)
{
    if (db->conn != NULL && is_quiet(db->conn)) {
        return DB_OK;
    }
    pipeline_drop(db);
    db->sqlstate[0] = '\0';
    /* What stands before dbname yields to the URL, what stands after does not. */
    const char *keys[] = {"connect_timeout",
                          "tcp_user_timeout",
                          "keepalives_idle",
                          "fallback_application_name",
                          "dbname",
                          "client_encoding",
                          NULL};
    const char *values[] = {"5", "10000", "15", db->application_name, db->url, "UTF8", NULL};
    db->conn = PQconnectdbParams(keys, values, 1);
    if (db->conn == NULL || PQstatus(db->conn) != CONNECTION_OK) {
        return pipeline_lost(db, db->conn != NULL ? PQerrorMessage(db->conn) : "out of memory");
    }
    PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
    if (PQsetnonblocking(db->conn, 1) != 0) {
        return pipeline_lost(db, PQerrorMessage(db->conn));
    }
    return look_for_pooler(db);
}

bool db_is_pooled(const struct db *db)
{
    return db->pooled;
}

/* What comes before a transaction, at times; at most one step. */
static size_t steps_before(struct db *db, struct pipeline_step *steps)
{
    if (++db->transactions < db->replan_at) {
        return 0;
    }
    db->replan_at *= REPLAN_FACTOR;
    steps[0] = (struct pipeline_step){.statement = &replan};
    return 1;
}

/* -- within a unit ------------------------------------------------------------------- */

static bool unit_is_lost(struct db *db)
{
    return db->conn == NULL || PQtransactionStatus(db->conn) != PQTRANS_INTRANS;
}

/* What is asked for afterwards is the failure that led here. */
static void undo(struct db *db, const struct db_statement *how)
{
    char error[sizeof(db->error)], sqlstate[sizeof(db->sqlstate)];
    struct pipeline_step step = {.statement = how};

    memcpy(error, db->error, sizeof(error));
    memcpy(sqlstate, db->sqlstate, sizeof(sqlstate));
    if (pipeline_run(db, &step, 1, NULL) != DB_OK) {
        pipeline_drop(db);
    }
    memcpy(db->error, error, sizeof(error));
    memcpy(db->sqlstate, sqlstate, sizeof(sqlstate));
}

/* What went before stays, what comes may be undone alone; without a statement it comes by
 * db_exec(). */
static enum db_status unit_step(struct db *db, const char *org,
                                const struct db_statement *statement, const char *const *params,
                                PGresult **result)
{
    struct pipeline_step steps[4] = {{.statement = &keep_mark},
                                     {.statement = &set_mark},
                                     {.statement = &set_org, .params = &org},
                                     {.statement = statement, .params = params}};

    if (unit_is_lost(db)) {
        return pipeline_lost(db, "the transaction was lost");
    }
    enum db_status status = pipeline_run(db, steps, statement != NULL ? 4 : 3, result);
    if (status != DB_OK && db->conn != NULL) {
        undo(db, &to_mark);
    }
    return status;
}

static enum db_status query(struct db *db, const struct db_statement *set, const char *org,
                            const struct db_statement *statement, const char *const *params,
                            PGresult **result)
{
    if (result != NULL) {
        *result = NULL;
    }
    if (db->unit) {
        return unit_step(db, org, statement, params, result);
    }
    enum db_status status = db_connect(db);
    if (status != DB_OK) {
        return status;
    }
    struct pipeline_step steps[3];
    size_t count = steps_before(db, steps);
    steps[count++] = (struct pipeline_step){.statement = set, .params = &org};
    steps[count++] = (struct pipeline_step){.statement = statement, .params = params};
    return pipeline_run(db, steps, count, result);
}

enum db_status db_query(struct db *db, const char *org, const struct db_statement *statement,
                        const char *const *params, PGresult **result)
{
    return query(db, &set_org, org, statement, params, result);
}

enum db_status db_found(struct db *db, const char *org, const struct db_statement *statement,
                        const char *const *params, bool *found)
{
    PGresult *rows;

    enum db_status status = db_query(db, org, statement, params, &rows);
    *found = PQntuples(rows) > 0;
    PQclear(rows);
    return status;
}

enum db_status db_query_unhurried(struct db *db, const char *org,
                                  const struct db_statement *statement, const char *const *params,
                                  PGresult **result)
{
    return query(db, &set_org_unhurried, org, statement, params, result);
}

enum db_status db_settle(struct db *db)
{
    if (db->conn == NULL) {
        return DB_LOST;
    }
    if (db->unit) {
        return DB_OK; /* its end waits for the disk */
    }
    struct pipeline_step step = {.statement = &settle};
    return pipeline_run(db, &step, 1, NULL);
}

static enum db_status begin_transaction(struct db *db, const char *org, bool unit)
{
    enum db_status status = db_connect(db);
    if (status != DB_OK) {
        return status;
    }
    struct pipeline_step steps[4];
    size_t count = steps_before(db, steps);
    steps[count++] = (struct pipeline_step){.statement = &begin};
    steps[count++] = (struct pipeline_step){.statement = &set_org, .params = &org};
    if (unit) {
        steps[count++] = (struct pipeline_step){.statement = &set_mark};
    }
    return pipeline_run(db, steps, count, NULL);
}

enum db_status db_begin(struct db *db, const char *org)
{
    if (!db->unit) {
        return begin_transaction(db, org, false);
    }
    enum db_status status = unit_step(db, org, NULL, NULL, NULL);
    db->nested = status == DB_OK;
    return status;
}

enum db_status db_exec(struct db *db, const struct db_statement *statement,
                       const char *const *params, PGresult **result)
{
    if (result != NULL) {
        *result = NULL;
    }
    if (db->conn == NULL) {
        return DB_LOST; /* the transaction went with the connection */
    }
    struct pipeline_step step = {.statement = statement, .params = params};
    return pipeline_run(db, &step, 1, result);
}

static enum db_status commit_transaction(struct db *db)
{
    PGresult *result;
    struct pipeline_step step = {.statement = &commit};

    if (db->conn == NULL) {
        return DB_LOST;
    }
    enum db_status status = pipeline_run(db, &step, 1, &result);
    if (status == DB_OK && strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        pipeline_explain(db, "the transaction had failed and was rolled back");
        snprintf(db->sqlstate, sizeof(db->sqlstate), "25P02");
        status = DB_FAILED;
    }
    PQclear(result);
    return status;
}

enum db_status db_enter(struct db *db, const char *org)
{
    return db_exec(db, &set_org, &org, NULL);
}

enum db_status db_commit(struct db *db)
{
    if (!db->unit) {
        return commit_transaction(db);
    }
    if (unit_is_lost(db)) {
        return db->conn == NULL ? DB_LOST : DB_FAILED;
    }
    db->nested = false;
    return DB_OK;
}

enum db_status db_end(struct db *db, enum db_status status)
{
    if (status == DB_OK)
        status = db_commit(db);
    if (status != DB_OK)
        db_rollback(db);
    return status;
}

void db_rollback(struct db *db)
{
    if (db->conn != NULL && PQtransactionStatus(db->conn) != PQTRANS_IDLE &&
        (!db->unit || db->nested)) {
        undo(db, db->unit ? &to_mark : &rollback);
    }
    db->nested = false;
}

enum db_status db_unit_begin(struct db *db, const char *org)
{
    enum db_status status = begin_transaction(db, org, true);

    db->unit = status == DB_OK;
    db->nested = false;
    return status;
}

enum db_status db_unit_commit(struct db *db)
{
    db->unit = false;
    db->nested = false;
    return commit_transaction(db);
}

void db_unit_rollback(struct db *db)
{
    db->unit = false;
    db->nested = false;
    db_rollback(db);
}

enum db_status db_script(struct db *db, const char *sql)
{
    if (db->conn == NULL) {
        return DB_LOST;
    }
    db->error[0] = '\0';
    db->sqlstate[0] = '\0';
    PGresult *result = PQexec(db->conn, sql);
    enum db_status status =
        pipeline_is_fine(result) ? DB_OK : pipeline_failed(db, "script", result);
    PQclear(result);
    return status;
}
