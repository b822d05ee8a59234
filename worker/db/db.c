#include "db/db.h"

#include "core/clock.h"
#include "core/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The server gives up first; the client's patience is for a server that is silent. */
#define CLIENT_PATIENCE_MS 25000
#define SESSION_SETTINGS                                                                           \
    "SET statement_timeout = '15s'; SET lock_timeout = '5s';"                                      \
    "SET idle_in_transaction_session_timeout = '30s'; SET timezone = 'UTC'"

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
    const struct db_statement **prepared;
    size_t prepared_count;
    size_t prepared_cap;
    uint64_t transactions; /* on this connection */
    uint64_t replan_at;    /* that many */
    char error[512];
    char sqlstate[6];
};

static const struct db_statement set_org = {
    "frontdesk_set_org", "SELECT set_config('app.org_id', coalesce($1, ''), true)", 1};
static const struct db_statement set_org_unhurried = {
    "frontdesk_set_org_unhurried",
    "SELECT set_config('app.org_id', coalesce($1, ''), true),"
    "       set_config('synchronous_commit', 'off', true)",
    1};
/* Any record does: the commit of one brings all before it to the disk. */
static const struct db_statement settle = {
    "frontdesk_settle", "SELECT pg_logical_emit_message(true, 'frontdesk', '')", 0};
static const struct db_statement replan = {"frontdesk_replan", "DISCARD PLANS", 0};
static const struct db_statement begin = {"frontdesk_begin", "BEGIN", 0};
static const struct db_statement commit = {"frontdesk_commit", "COMMIT", 0};
static const struct db_statement rollback = {"frontdesk_rollback", "ROLLBACK", 0};

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

static void disconnect(struct db *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
    db->prepared_count = 0;
    db->transactions = 0;
    db->replan_at = REPLAN_FIRST;
}

void db_free(struct db *db)
{
    if (db == NULL) {
        return;
    }
    disconnect(db);
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

/* libpq's messages end in a newline and may have several lines. */
static void keep_on_one_line(char *s)
{
    size_t len = strlen(s);
    while (len > 0 && (s[len - 1] == '\n' || s[len - 1] == ' ')) {
        s[--len] = '\0';
    }
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < ' ') {
            *s = ' ';
        }
    }
}

static void explain(struct db *db, const char *format, va_list args)
{
    vsnprintf(db->error, sizeof(db->error), format, args);
    keep_on_one_line(db->error);
}

void db_explain(struct db *db, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    explain(db, format, args);
    va_end(args);
    db->sqlstate[0] = '\0';
}

__attribute__((format(printf, 2, 3))) static void set_error(struct db *db, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    explain(db, format, args);
    va_end(args);
}

static enum db_status lost(struct db *db, const char *why)
{
    set_error(db, "%s", why);
    if (db->sqlstate[0] == '\0') {
        snprintf(db->sqlstate, sizeof(db->sqlstate), "08006");
    }
    disconnect(db);
    return DB_LOST;
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

enum db_status db_connect(struct db *db)
{
    if (db->conn != NULL && is_quiet(db->conn)) {
        return DB_OK;
    }
    disconnect(db);
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
        return lost(db, db->conn != NULL ? PQerrorMessage(db->conn) : "out of memory");
    }
    PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
    /* Not by startup `options`, which PgBouncer refuses. */
    PGresult *result = PQexec(db->conn, SESSION_SETTINGS);
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!ok || PQsetnonblocking(db->conn, 1) != 0) {
        return lost(db, PQerrorMessage(db->conn));
    }
    return DB_OK;
}

static enum db_status status_of(const char *state)
{
    static const struct {
        const char *prefix;
        enum db_status status;
    } table[] = {
        {"08", DB_LOST},    {"57P0", DB_LOST},  {"25P03", DB_LOST},
        {"25006", DB_LOST}, /* read-only: the primary has moved */
        {"40001", DB_BUSY}, {"40P01", DB_BUSY}, {"55P03", DB_BUSY},
        {"57014", DB_BUSY}, {"53", DB_BUSY},    {"23", DB_CONFLICT},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strncmp(state, table[i].prefix, strlen(table[i].prefix)) == 0) {
            return table[i].status;
        }
    }
    return DB_FAILED;
}

/* A plan or a statement that the server no longer has as we know it: after a
 * migration, or behind a pooler that changed the server under us. */
static bool statements_are_stale(const char *state, const char *message)
{
    return strcmp(state, "26000") == 0 || (strcmp(state, "0A000") == 0 && message != NULL &&
                                           strstr(message, "cached plan") != NULL);
}

static enum db_status failed(struct db *db, const char *statement, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);

    if (state == NULL) {
        return lost(db, PQresultErrorMessage(result));
    }
    snprintf(db->sqlstate, sizeof(db->sqlstate), "%s", state);
    set_error(db, "%s%s%s%s", message != NULL ? message : "", hint != NULL ? " (" : "",
              hint != NULL ? hint : "", hint != NULL ? ")" : "");
    if (statements_are_stale(state, message)) {
        disconnect(db);
        return DB_BUSY;
    }
    enum db_status status = status_of(state);
    if (status == DB_LOST) {
        disconnect(db);
    } else if (status == DB_FAILED || status == DB_CONFLICT) {
        /* The messages of class 22 repeat the value, which may be a visitor's. */
        bool quotes_values = strncmp(state, "22", 2) == 0;
        log_write(status == DB_FAILED ? LOG_ERROR : LOG_INFO, NULL, "db.failed",
                  LOG_FIELDS(LOG_STR("statement", statement), LOG_STR("sqlstate", state),
                             LOG_STR("constraint", constraint),
                             LOG_STR("error", quotes_values ? NULL : message)));
    }
    return status;
}

/* -- one pipeline: some statements and a Sync, answered in one round trip -------- */

static bool is_prepared(const struct db *db, const struct db_statement *statement)
{
    for (size_t i = 0; i < db->prepared_count; i++) {
        if (db->prepared[i] == statement) {
            return true;
        }
    }
    return false;
}

static void note_prepared(struct db *db, const struct db_statement *statement)
{
    if (db->prepared_count == db->prepared_cap) {
        size_t cap = db->prepared_cap > 0 ? 2 * db->prepared_cap : 32;
        const struct db_statement **grown = realloc(db->prepared, cap * sizeof(const void *));
        if (grown == NULL) {
            abort();
        }
        db->prepared = grown;
        db->prepared_cap = cap;
    }
    db->prepared[db->prepared_count++] = statement;
}

struct step {
    const struct db_statement *statement;
    const char *const *params;
    bool prepares; /* its Parse goes in the same pipeline */
};

static bool send_step(struct db *db, struct step *step)
{
    const struct db_statement *s = step->statement;
    step->prepares = !is_prepared(db, s);
    if (step->prepares && !PQsendPrepare(db->conn, s->name, s->sql, s->params, NULL)) {
        return false;
    }
    return PQsendQueryPrepared(db->conn, s->name, s->params, step->params, NULL, NULL, 0) == 1;
}

/* Until the next result can be had without blocking. */
static bool wait_for_result(struct db *db, int64_t deadline)
{
    for (;;) {
        int unsent = PQflush(db->conn);
        if (unsent < 0) {
            return false;
        }
        if (unsent == 0 && !PQisBusy(db->conn)) {
            return true;
        }
        int64_t left = deadline - clock_mono_ms();
        struct pollfd fd = {.fd = PQsocket(db->conn),
                            .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};
        int ready = left > 0 ? poll(&fd, 1, (int)left) : 0;
        if (ready == 0 || (ready < 0 && errno != EINTR)) {
            return false;
        }
        if (ready > 0 && !PQconsumeInput(db->conn)) {
            return false;
        }
    }
}

/* Reads one command's results: the last result, or NULL when the connection broke.
 * In a pipeline each command's results end with a NULL, a Sync's does not. */
static PGresult *next_result(struct db *db, int64_t deadline)
{
    if (!wait_for_result(db, deadline)) {
        return NULL;
    }
    PGresult *result = PQgetResult(db->conn);
    if (result == NULL || PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        return result;
    }
    while (wait_for_result(db, deadline)) {
        PGresult *more = PQgetResult(db->conn);
        if (more == NULL) {
            return result;
        }
        PQclear(more);
    }
    PQclear(result);
    return NULL;
}

static bool is_fine(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* The answers of every step up to the Sync. *last is the last step's result. */
static enum db_status read_steps(struct db *db, struct step *steps, size_t count, PGresult **last)
{
    int64_t deadline = clock_mono_ms() + CLIENT_PATIENCE_MS;
    enum db_status status = DB_OK;
    PGresult *result;

    for (size_t i = 0; i < count; i++) {
        for (int part = steps[i].prepares ? 0 : 1; part < 2; part++) {
            result = next_result(db, deadline);
            if (result == NULL) {
                return lost(db, PQstatus(db->conn) == CONNECTION_OK ? "the server is silent"
                                                                    : PQerrorMessage(db->conn));
            }
            if (is_fine(result)) {
                if (part == 0) {
                    note_prepared(db, steps[i].statement);
                } else if (i + 1 == count) {
                    *last = result;
                    result = NULL;
                }
            } else if (status == DB_OK && PQresultStatus(result) != PGRES_PIPELINE_ABORTED) {
                status = failed(db, steps[i].statement->name, result);
            }
            PQclear(result);
            if (db->conn == NULL) {
                return status;
            }
        }
    }
    /* The Sync commits: a deferred failure comes here, before its own result. */
    while ((result = next_result(db, deadline)) != NULL) {
        bool synced = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        if (!synced && status == DB_OK) {
            status = failed(db, "commit", result);
        }
        PQclear(result);
        if (synced || db->conn == NULL) {
            return status;
        }
    }
    return lost(db, PQerrorMessage(db->conn));
}

static enum db_status run(struct db *db, struct step *steps, size_t count, PGresult **result)
{
    PGresult *last = NULL;
    db->error[0] = '\0';
    db->sqlstate[0] = '\0';
    if (result != NULL) {
        *result = NULL;
    }
    if (PQenterPipelineMode(db->conn) != 1) {
        return lost(db, PQerrorMessage(db->conn));
    }
    for (size_t i = 0; i < count; i++) {
        if (!send_step(db, &steps[i])) {
            return lost(db, PQerrorMessage(db->conn));
        }
    }
    if (PQpipelineSync(db->conn) != 1) {
        return lost(db, PQerrorMessage(db->conn));
    }
    enum db_status status = read_steps(db, steps, count, &last);
    if (db->conn != NULL && PQexitPipelineMode(db->conn) != 1) {
        status = lost(db, PQerrorMessage(db->conn));
    }
    if (status == DB_OK && result != NULL) {
        *result = last;
    } else {
        PQclear(last);
    }
    return status;
}

/* What comes before a transaction, at times; at most one step. */
static size_t steps_before(struct db *db, struct step *steps)
{
    if (++db->transactions < db->replan_at) {
        return 0;
    }
    db->replan_at *= REPLAN_FACTOR;
    steps[0] = (struct step){.statement = &replan};
    return 1;
}

static enum db_status query(struct db *db, const struct db_statement *set, const char *org,
                            const struct db_statement *statement, const char *const *params,
                            PGresult **result)
{
    if (result != NULL) {
        *result = NULL;
    }
    enum db_status status = db_connect(db);
    if (status != DB_OK) {
        return status;
    }
    struct step steps[3];
    size_t count = steps_before(db, steps);
    steps[count++] = (struct step){.statement = set, .params = &org};
    steps[count++] = (struct step){.statement = statement, .params = params};
    return run(db, steps, count, result);
}

enum db_status db_query(struct db *db, const char *org, const struct db_statement *statement,
                        const char *const *params, PGresult **result)
{
    return query(db, &set_org, org, statement, params, result);
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
    struct step step = {.statement = &settle};
    return run(db, &step, 1, NULL);
}

enum db_status db_begin(struct db *db, const char *org)
{
    enum db_status status = db_connect(db);
    if (status != DB_OK) {
        return status;
    }
    struct step steps[3];
    size_t count = steps_before(db, steps);
    steps[count++] = (struct step){.statement = &begin};
    steps[count++] = (struct step){.statement = &set_org, .params = &org};
    return run(db, steps, count, NULL);
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
    struct step step = {.statement = statement, .params = params};
    return run(db, &step, 1, result);
}

enum db_status db_commit(struct db *db)
{
    PGresult *result;
    struct step step = {.statement = &commit};

    if (db->conn == NULL) {
        return DB_LOST;
    }
    enum db_status status = run(db, &step, 1, &result);
    if (status == DB_OK && strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        set_error(db, "the transaction had failed and was rolled back");
        snprintf(db->sqlstate, sizeof(db->sqlstate), "25P02");
        status = DB_FAILED;
    }
    PQclear(result);
    return status;
}

void db_rollback(struct db *db)
{
    char error[sizeof(db->error)], sqlstate[sizeof(db->sqlstate)];
    struct step step = {.statement = &rollback};

    if (db->conn == NULL || PQtransactionStatus(db->conn) == PQTRANS_IDLE) {
        return;
    }
    /* What is asked for afterwards is the failure that led here. */
    memcpy(error, db->error, sizeof(error));
    memcpy(sqlstate, db->sqlstate, sizeof(sqlstate));
    if (run(db, &step, 1, NULL) != DB_OK) {
        disconnect(db);
    }
    memcpy(db->error, error, sizeof(error));
    memcpy(db->sqlstate, sqlstate, sizeof(sqlstate));
}

enum db_status db_script(struct db *db, const char *sql)
{
    if (db->conn == NULL) {
        return DB_LOST;
    }
    db->error[0] = '\0';
    db->sqlstate[0] = '\0';
    PGresult *result = PQexec(db->conn, sql);
    enum db_status status = is_fine(result) ? DB_OK : failed(db, "script", result);
    PQclear(result);
    return status;
}
