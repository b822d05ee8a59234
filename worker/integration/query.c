#include "integration/query.h"
#include "integration/database.h"
#include "core/buf.h"
#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A server may send what it likes, and libpq takes a row whole: what it has sent in all
 * is looked at as it comes. */
#define RECEIVED_MAX 4194304

/* pg_type.h; fixed for ever */
enum {
    OID_BOOL = 16,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_NUMERIC = 1700
};

struct run {
    PGconn *conn;
    int64_t deadline_ms;
    struct query_result *result;
    struct buf rows; /* JSON objects with commas */
    bool truncated;
};

static bool fail(struct run *r, enum tool_failure failure, const char *what)
{
    r->result->failure = failure;
    snprintf(r->result->error, sizeof(r->result->error), "%s", what);
    return false;
}

/* The client's own words about the query; not the values that it quotes. */
static bool fail_query(struct run *r, const PGresult *res)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    bool quotes_values = state != NULL && strncmp(state, "22", 2) == 0;

    if (state == NULL)
        return fail(r, TOOL_UNREACHABLE, "the connection broke");
    if (strcmp(state, "57014") == 0)
        return fail(r, TOOL_TIMEOUT, "the query took too long");
    snprintf(r->result->error, sizeof(r->result->error), "the query failed (%.5s)%s%.180s", state,
             quotes_values ? ": a value does not fit its column's type" : ": ",
             quotes_values || message == NULL ? "" : message);
    r->result->failure = TOOL_FAILED;
    return false;
}

/* -- talking ---------------------------------------------------------------------------- */

/* False: broken, too late or too much, and the result says so. */
static bool wait_for_result(struct run *r)
{
    for (;;) {
        int unsent = PQflush(r->conn);

        if (unsent < 0)
            return fail(r, TOOL_UNREACHABLE, "the connection broke");
        if (unsent == 0 && !PQisBusy(r->conn))
            return true;
        if (!database_wait(r->conn, unsent > 0, r->deadline_ms))
            return fail(r, TOOL_TIMEOUT, "the query took too long");
        if (!PQconsumeInput(r->conn))
            return fail(r, TOOL_UNREACHABLE, "the connection broke");
        if (database_sent_more(r->conn, RECEIVED_MAX))
            return fail(r, TOOL_RESPONSE, "the database sends too much: choose fewer columns");
    }
}

static bool drain(struct run *r)
{
    PGresult *res;

    while (wait_for_result(r)) {
        res = PQgetResult(r->conn);
        if (res == NULL)
            return true;
        PQclear(res);
    }
    return false;
}

static bool command(struct run *r, const char *sql)
{
    PGresult *res;
    bool ok;

    if (!PQsendQueryParams(r->conn, sql, 0, NULL, NULL, NULL, NULL, 0))
        return fail(r, TOOL_UNREACHABLE, "the connection broke");
    if (!wait_for_result(r))
        return false;
    res = PQgetResult(r->conn);
    ok = PQresultStatus(res) == PGRES_COMMAND_OK || fail_query(r, res);
    PQclear(res);
    return ok && drain(r);
}

/* -- rows as JSON --------------------------------------------------------------------------- */

static bool is_finite_number(Oid type, const char *text)
{
    static const Oid numbers[] = {OID_INT2,   OID_INT4,   OID_INT8,
                                  OID_FLOAT4, OID_FLOAT8, OID_NUMERIC};

    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (numbers[i] == type)
            return text[strspn(text, "-+.eE0123456789")] == '\0';
    }
    return false;
}

static void write_cell(struct fd_json_writer *w, const PGresult *res, int column)
{
    const char *text = PQgetvalue(res, 0, column);
    Oid type = PQftype(res, column);

    if (PQgetisnull(res, 0, column))
        fd_jw_null(w);
    else if (type == OID_BOOL)
        fd_jw_bool(w, text[0] == 't');
    else if (is_finite_number(type, text))
        fd_jw_raw(w, text, strlen(text));
    else
        fd_jw_string(w, text, (size_t)PQgetlength(res, 0, column));
}

/* False: it does not fit any more. */
static bool add_row(struct run *r, const PGresult *res)
{
    size_t before = r->rows.len;
    struct fd_json_writer w;
    bool fits;

    if (r->result->rows == QUERY_ROWS_MAX)
        return false;
    if (before > 0)
        buf_puts(&r->rows, ",");
    buf_json(&r->rows, &w);
    fd_jw_object(&w);
    for (int i = 0; i < PQnfields(res); i++) {
        fd_jw_key(&w, PQfname(res, i));
        write_cell(&w, res, i);
    }
    fd_jw_end_object(&w);
    fits = buf_json_end(&r->rows, &w);
    if (fits)
        r->result->rows++;
    else /* what was there stays whole */
        r->rows.len = before;
    return fits;
}

/* Two columns of one name would be one member twice. */
static bool names_differ(struct run *r, const PGresult *res)
{
    for (int i = 0; i < PQnfields(res); i++) {
        for (int j = 0; j < i; j++) {
            if (strcmp(PQfname(res, i), PQfname(res, j)) == 0)
                return fail(r, TOOL_FAILED, "two columns of the query have the same name");
        }
    }
    return true;
}

/* False: it failed. True with r->truncated: the rest is left where it is. */
static bool read_rows(struct run *r)
{
    bool first = true, ok = true;

    while (ok && !r->truncated) {
        PGresult *res;
        ExecStatusType status;

        if (!wait_for_result(r))
            return false;
        res = PQgetResult(r->conn);
        if (res == NULL)
            return true;
        status = PQresultStatus(res);
        if (first && (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK))
            ok = names_differ(r, res);
        first = false;
        if (ok && status == PGRES_SINGLE_TUPLE)
            r->truncated = !add_row(r, res);
        else if (ok && status != PGRES_TUPLES_OK)
            ok = fail_query(r, res);
        PQclear(res);
    }
    return ok;
}

static bool run(struct run *r, const char *sql, const char *const *values, size_t count)
{
    char limit[64];

    snprintf(limit, sizeof(limit), "SET LOCAL statement_timeout = %d", QUERY_MS - 1000);
    if (!command(r, "BEGIN TRANSACTION READ ONLY") || !command(r, limit))
        return false;
    /* the extended protocol: one statement, whatever the text says */
    if (!PQsendQueryParams(r->conn, sql, (int)count, NULL, values, NULL, NULL, 0) ||
        !PQsetSingleRowMode(r->conn))
        return fail(r, TOOL_UNREACHABLE, "the connection broke");
    return read_rows(r);
}

static void finish(struct arena *a, struct run *r)
{
    struct buf out;

    buf_init(&out, QUERY_BYTES_MAX + 64);
    buf_puts(&out, "{\"rows\":[");
    buf_append(&out, r->rows.data != NULL ? r->rows.data : "", r->rows.len);
    buf_printf(&out, "],\"truncated\":%s}", r->truncated ? "true" : "false");
    r->result->json = arena_strndup(a, out.data, out.len);
    r->result->len = out.len;
    buf_free(&out);
}

void query_run(struct arena *a, const struct integration *integration, const char *allow,
               const char *sql, const char *const *values, size_t count,
               struct query_result *result)
{
    int64_t started = clock_mono_ms();
    struct run r = {.deadline_ms = started + QUERY_MS, .result = result};

    *result = (struct query_result){.failure = TOOL_OK};
    buf_init(&r.rows, QUERY_BYTES_MAX);
    r.conn = database_connect(integration, allow, r.deadline_ms, &result->failure, result->error);
    if (r.conn != NULL) {
        result->failure = TOOL_OK;
        if (PQsetnonblocking(r.conn, 1) != 0)
            fail(&r, TOOL_UNREACHABLE, "out of memory");
        else if (run(&r, sql, values, count))
            finish(a, &r);
        PQfinish(r.conn); /* which ends the transaction, and the query if it still runs */
    }
    buf_free(&r.rows);
    result->ms = clock_mono_ms() - started;
}
