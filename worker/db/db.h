/*
 * Db: one synchronous PostgreSQL connection, used by one thread at a time (a pool
 * thread or a command). Statements are prepared on first use and again after a
 * reconnect; behind a pooler (PgBouncer) they are not. Nothing is set but for one
 * transaction. Every query names the organisation it is for; row-level security is
 * the second net under that.
 */
#ifndef FD_DB_DB_H
#define FD_DB_DB_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

struct db;

enum db_status {
    DB_OK,
    DB_LOST,     /* no connection, or it broke: unknown whether a commit happened */
    DB_BUSY,     /* try again: deadlock, serialization, timeout, disk full, too many connections */
    DB_CONFLICT, /* a unique or foreign key, a check */
    DB_FAILED    /* a fault of ours: logged with SQLSTATE */
};

struct db_statement {
    const char *name; /* unique in the program */
    const char *sql;
    int params;
};

/* The connection is opened on first use and reopened after a loss. */
struct db *db_new(const char *url, const char *application_name);
void db_free(struct db *db);
/* Opens now; for commands and doctor. */
enum db_status db_connect(struct db *db);
/* Something between us and the server deals its sessions out; known once connected. */
bool db_is_pooled(const struct db *db);
const char *db_error(const struct db *db); /* of the last failure, one line */
const char *db_sqlstate(const struct db *db);
/* Sets what db_error() says, where a caller knows better why it ends with DB_FAILED: what
 * was asked for is at fault, not a statement. db_sqlstate() is "" then. */
void db_explain(struct db *db, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One statement in its own transaction, one round trip. org NULL: no organisation
 * (only platform_ functions and tables without one). *result (may be NULL) is the
 * caller's, to PQclear(); NULL unless DB_OK. Parameters are text, NULL is NULL. */
enum db_status db_query(struct db *db, const char *org, const struct db_statement *statement,
                        const char *const *params, PGresult **result);

/* The same where all that counts is whether it gave a row; *found is false unless DB_OK. */
enum db_status db_found(struct db *db, const char *org, const struct db_statement *statement,
                        const char *const *params, bool *found);

/* The same, but the commit does not wait for the disk: a server that crashes may lose it,
 * unless something commits in the usual way later, or db_settle() says that it is safe. */
enum db_status db_query_unhurried(struct db *db, const char *org,
                                  const struct db_statement *statement, const char *const *params,
                                  PGresult **result);

/* Returns when the disk has all that the server committed so far. A row that many write
 * at once is so unlocked before the wait, not after it. */
enum db_status db_settle(struct db *db);

/* Several statements, all or nothing. After a failure only db_rollback() is of use. */
enum db_status db_begin(struct db *db, const char *org);
/* The open transaction goes on for this organisation: one that it has just made. */
enum db_status db_enter(struct db *db, const char *org);
enum db_status db_exec(struct db *db, const struct db_statement *statement,
                       const char *const *params, PGresult **result);
enum db_status db_commit(struct db *db);
void db_rollback(struct db *db);
/* The end of it: a commit where all went well so far, else a rollback and the same status. */
enum db_status db_end(struct db *db, enum db_status status);

/* One transaction around operations that know nothing of it: until its end what they begin
 * and commit, and each single query, is a savepoint of it. A loss fails all that follows. */
enum db_status db_unit_begin(struct db *db, const char *org);
enum db_status db_unit_commit(struct db *db);
void db_unit_rollback(struct db *db);

/* A script of statements without parameters (migrations), in the open transaction. */
enum db_status db_script(struct db *db, const char *sql);

/* Cells; NULL for SQL NULL. */
const char *db_text(const PGresult *result, int row, int column);
int64_t db_int(const PGresult *result, int row, int column, int64_t null_value);
double db_double(const PGresult *result, int row, int column, double null_value);
bool db_true(const PGresult *result, int row, int column);

/* Parameter text of a number; the buffer is the caller's. */
#define DB_NUMBER_SIZE 32
const char *db_number(char out[DB_NUMBER_SIZE], int64_t value);
/* The parameter of "id = $1::uuid": the text, or NULL where it is no id, which finds nothing. Not
 * "id::text = $1": no index is of that. */
const char *db_uuid(const char *text);

#endif
