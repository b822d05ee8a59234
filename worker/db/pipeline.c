#include "db/pipeline.h"

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

void pipeline_drop(struct db *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
    db->prepared_count = 0;
    db->transactions = 0;
    db->replan_at = REPLAN_FIRST;
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

__attribute__((format(printf, 2, 0))) static void explain(struct db *db, const char *format,
                                                          va_list args)
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

void pipeline_explain(struct db *db, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    explain(db, format, args);
    va_end(args);
}

enum db_status pipeline_lost(struct db *db, const char *why)
{
    pipeline_explain(db, "%s", why);
    if (db->sqlstate[0] == '\0') {
        snprintf(db->sqlstate, sizeof(db->sqlstate), "08006");
    }
    pipeline_drop(db);
    return DB_LOST;
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
 * migration, or behind a pooler that was not seen to be one. */
static bool statements_are_stale(const char *state, const char *message)
{
    return strcmp(state, "26000") == 0 || (strcmp(state, "0A000") == 0 && message != NULL &&
                                           strstr(message, "cached plan") != NULL);
}

enum db_status pipeline_failed(struct db *db, const char *statement, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);

    if (state == NULL) {
        return pipeline_lost(db, PQresultErrorMessage(result));
    }
    snprintf(db->sqlstate, sizeof(db->sqlstate), "%s", state);
    pipeline_explain(db, "%s%s%s%s", message != NULL ? message : "", hint != NULL ? " (" : "",
                     hint != NULL ? hint : "", hint != NULL ? ")" : "");
    if (statements_are_stale(state, message)) {
        pipeline_drop(db);
        return DB_BUSY;
    }
    enum db_status status = status_of(state);
    if (status == DB_LOST) {
        pipeline_drop(db);
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

static bool send_step(struct db *db, struct pipeline_step *step)
{
    const struct db_statement *s = step->statement;
    if (db->pooled) {
        return PQsendQueryParams(db->conn, s->sql, s->params, NULL, step->params, NULL, NULL, 0) ==
               1;
    }
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

bool pipeline_is_fine(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* The answers of every step up to the Sync. *last is the last step's result. */
static enum db_status read_steps(struct db *db, struct pipeline_step *steps, size_t count,
                                 PGresult **last)
{
    int64_t deadline = clock_mono_ms() + CLIENT_PATIENCE_MS;
    enum db_status status = DB_OK;
    PGresult *result;

    for (size_t i = 0; i < count; i++) {
        for (int part = steps[i].prepares ? 0 : 1; part < 2; part++) {
            result = next_result(db, deadline);
            if (result == NULL) {
                return pipeline_lost(db, PQstatus(db->conn) == CONNECTION_OK
                                             ? "the server is silent"
                                             : PQerrorMessage(db->conn));
            }
            if (pipeline_is_fine(result)) {
                if (part == 0) {
                    note_prepared(db, steps[i].statement);
                } else if (i + 1 == count) {
                    *last = result;
                    result = NULL;
                }
            } else if (status == DB_OK && PQresultStatus(result) != PGRES_PIPELINE_ABORTED) {
                status = pipeline_failed(db, steps[i].statement->name, result);
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
            status = pipeline_failed(db, "commit", result);
        }
        PQclear(result);
        if (synced || db->conn == NULL) {
            return status;
        }
    }
    return pipeline_lost(db, PQerrorMessage(db->conn));
}

enum db_status pipeline_run(struct db *db, struct pipeline_step *steps, size_t count,
                            PGresult **result)
{
    PGresult *last = NULL;
    db->error[0] = '\0';
    db->sqlstate[0] = '\0';
    if (result != NULL) {
        *result = NULL;
    }
    if (PQenterPipelineMode(db->conn) != 1) {
        return pipeline_lost(db, PQerrorMessage(db->conn));
    }
    for (size_t i = 0; i < count; i++) {
        if (!send_step(db, &steps[i])) {
            return pipeline_lost(db, PQerrorMessage(db->conn));
        }
    }
    if (PQpipelineSync(db->conn) != 1) {
        return pipeline_lost(db, PQerrorMessage(db->conn));
    }
    enum db_status status = read_steps(db, steps, count, &last);
    if (db->conn != NULL && PQexitPipelineMode(db->conn) != 1) {
        status = pipeline_lost(db, PQerrorMessage(db->conn));
    }
    if (status == DB_OK && result != NULL) {
        *result = last;
    } else {
        PQclear(last);
    }
    return status;
}
