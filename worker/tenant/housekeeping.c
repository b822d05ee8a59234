#include "tenant/housekeeping.h"

#include "core/log.h"
#include "tenant/reset_mail.h"
#include "tenant/rollup.h"
#include "tenant/sign_in.h"

#define TRIES     3 /* where something is in the way */
#define KEYS_PAGE "1000"

static const struct db_statement due_statement = {
    "housekeeping_due",
    "INSERT INTO marks AS m VALUES ('retention', now(), '00000000-0000-0000-0000-000000000000')"
    " ON CONFLICT (name) DO UPDATE SET at = now()"
    "  WHERE m.at < now() - $1::int * interval '1 second'"
    " RETURNING 1",
    1};
static const struct db_statement last_statement = {
    "housekeeping_last",
    "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM marks"
    " WHERE name = 'retention'",
    0};

static const struct db_statement forget_keys_statement = {
    "housekeeping_forget_keys",
    "SELECT platform_forget_idempotency_keys(" KEYS_PAGE ") = " KEYS_PAGE, 0};

enum db_status housekeeping_due(struct db *db, int seconds, bool *due)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {db_number(number, seconds)};

    return db_found(db, NULL, &due_statement, params, due);
}

enum db_status housekeeping_last(struct db *db, struct arena *a, const char **at)
{
    PGresult *row;

    *at = NULL;
    enum db_status status = db_query(db, NULL, &last_statement, NULL, &row);
    if (status == DB_OK && PQntuples(row) == 1)
        *at = arena_strdup(a, db_text(row, 0, 0));
    PQclear(row);
    return status;
}

void housekeeping_free(struct housekeeping *pass)
{
    arena_free(&pass->arena);
    *pass = (struct housekeeping){.only = pass->only, .archive = pass->archive};
}

static void next_org(struct housekeeping *pass)
{
    pass->next++;
    pass->tries = 0;
}

/* What fails with one organisation is told, and the others have their turn. A failure without
 * an SQLSTATE is one that we explained: no row is in its words. */
static enum db_status pass_over(struct db *db, struct housekeeping *pass, enum db_status status)
{
    bool explained = db_sqlstate(db)[0] == '\0';
    bool taken_over = status == DB_BUSY && explained;

    if (status == DB_LOST || taken_over)
        return status;
    if (status == DB_BUSY && ++pass->tries < TRIES)
        return DB_OK;
    snprintf(pass->error, sizeof(pass->error), "%s", db_error(db));
    log_warn(NULL, "retention.failed", LOG_STR("org", pass->orgs[pass->next].id),
             LOG_STR("sqlstate", db_sqlstate(db)),
             LOG_STR("error", explained ? db_error(db) : NULL));
    pass->failed++;
    next_org(pass);
    return DB_OK;
}

/* What is good for a time only, of all organisations: a page of idempotency keys; after the
 * last of them tokens. */
static enum db_status forget_step(struct db *db, const struct turn *turn, struct housekeeping *pass)
{
    PGresult *row = NULL;

    enum db_status status = turn_renew(db, turn);
    if (status == DB_OK)
        status = db_query(db, NULL, &forget_keys_statement, NULL, &row);
    bool more = status == DB_OK && db_true(row, 0, 0);
    PQclear(row);
    if (status == DB_OK && !more)
        status = sign_in_forget_tokens(db);
    if (status == DB_OK && !more)
        status = reset_mail_forget(db);
    pass->forgotten = status == DB_OK && !more;
    return status;
}

static enum db_status delete_step(struct db *db, const struct turn *turn, struct housekeeping *pass)
{
    struct retention_org *org = &pass->orgs[pass->next];
    bool there, more = false;

    enum db_status status = retention_days(db, org, &there);
    if (status == DB_OK && there)
        status = retention_step(db, turn, &pass->archive, org, &pass->counts, &more);
    if (status != DB_OK)
        return pass_over(db, pass, status);
    pass->tries = 0;
    if (!more)
        next_org(pass);
    return DB_OK;
}

/* A month is dropped only when every organisation has let it go. */
static enum db_status drop_step(struct db *db, const struct turn *turn, struct housekeeping *pass)
{
    bool more = false;
    enum db_status status = DB_OK;

    if (pass->only == NULL && pass->failed == 0)
        status = retention_drop(db, turn, &pass->archive, &pass->counts, &more);
    pass->dropped = status == DB_OK && !more;
    return status;
}

enum db_status housekeeping_step(struct db *db, const struct turn *turn, struct housekeeping *pass,
                                 bool *done)
{
    bool more = false;
    enum db_status status = DB_OK;

    *done = false;
    if (!pass->counted) {
        status = turn_renew(db, turn);
        if (status == DB_OK)
            status = rollup_conversations(db, &more);
        pass->counted = status == DB_OK && !more;
    } else if (!pass->decided) {
        status = turn_renew(db, turn);
        if (status == DB_OK)
            status = rollup_resolutions(db, &more);
        pass->decided = status == DB_OK && !more;
    } else if (!pass->tools_counted) {
        status = rollup_tools(db);
        pass->tools_counted = status == DB_OK;
    } else if (!pass->forgotten) {
        status = forget_step(db, turn, pass);
    } else if (!pass->listed) {
        status = retention_orgs(db, &pass->arena, pass->only, &pass->orgs, &pass->org_count);
        pass->listed = status == DB_OK;
    } else if (pass->next < pass->org_count) {
        status = delete_step(db, turn, pass);
    } else if (!pass->dropped) {
        status = drop_step(db, turn, pass);
    } else {
        *done = true;
    }
    return status;
}
