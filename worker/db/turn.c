#include "db/turn.h"

#include "core/log.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define NUMBER_OF(x) #x
#define SECONDS(x)   NUMBER_OF(x)
#define ITS_END      "clock_timestamp() + interval '" SECONDS(TURN_SECONDS) " s'"

static const struct db_statement take = {
    "turn_take",
    "INSERT INTO leases AS l (name, owner, expires_at) VALUES ($1::text, $2::text, " ITS_END ")"
    " ON CONFLICT (name) DO UPDATE"
    "   SET owner = EXCLUDED.owner, token = l.token + 1, expires_at = EXCLUDED.expires_at"
    " WHERE l.owner = EXCLUDED.owner OR l.expires_at <= now()"
    " RETURNING token",
    2};
static const struct db_statement hold = {
    "turn_hold",
    "UPDATE leases SET expires_at = " ITS_END " WHERE name = $1::text AND token = $2::bigint", 2};
static const struct db_statement give = {
    "turn_give",
    "UPDATE leases SET expires_at = now() WHERE name = $1::text AND token = $2::bigint", 2};

static void name_owner(struct turn *turn)
{
    char host[48] = "";
    unsigned salt = 0;

    gethostname(host, sizeof(host) - 1);
    if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
        salt = (unsigned)getpid();
    snprintf(turn->owner, sizeof(turn->owner), "%s/%ld/%08x", host, (long)getpid(), salt);
}

enum db_status turn_take(struct db *db, struct turn *turn, bool *mine)
{
    PGresult *row;

    if (turn->owner[0] == '\0')
        name_owner(turn);
    const char *params[] = {turn->name, turn->owner};
    enum db_status status = db_query(db, NULL, &take, params, &row);
    *mine = status == DB_OK && PQntuples(row) == 1;
    if (*mine)
        turn->number = db_int(row, 0, 0, 0);
    PQclear(row);
    return status;
}

static enum db_status still_ours(struct db *db, enum db_status status, PGresult *result)
{
    bool ours = status != DB_OK || PQcmdTuples(result)[0] == '1';

    PQclear(result);
    if (!ours)
        db_explain(db, "another process took this work over");
    return ours ? status : DB_BUSY;
}

enum db_status turn_hold(struct db *db, const struct turn *turn)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {turn->name, db_number(number, turn->number)};
    PGresult *result;

    enum db_status status = db_exec(db, &hold, params, &result);
    return still_ours(db, status, result);
}

enum db_status turn_renew(struct db *db, const struct turn *turn)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {turn->name, db_number(number, turn->number)};
    PGresult *result;

    enum db_status status = db_query(db, NULL, &hold, params, &result);
    return still_ours(db, status, result);
}

/* What cannot be given back runs out. */
void turn_give(struct db *db, const struct turn *turn)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {turn->name, db_number(number, turn->number)};

    if (db_query(db, NULL, &give, params, NULL) != DB_OK)
        log_warn(NULL, "turn.kept", LOG_STR("name", turn->name), LOG_STR("error", db_error(db)));
}
