#include "tenant/canned_replies.h"

#define COLUMNS                                                                                    \
    "id, shortcut, language, text,"                                                                \
    " to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

/* Of a language: its own, and those for all that have none of their own. */
static const struct db_statement list_statement = {
    "canned_list",
    "SELECT " COLUMNS " FROM canned_replies r"
    " WHERE org_id = $1::uuid AND ($3::text IS NULL OR (shortcut, id) > ($3, $4::uuid))"
    "   AND ($2::text IS NULL OR language = $2 OR (language IS NULL AND NOT EXISTS ("
    "        SELECT FROM canned_replies o WHERE o.org_id = r.org_id AND o.shortcut = r.shortcut"
    "           AND o.language = $2)))"
    " ORDER BY shortcut, id LIMIT $5::int",
    5};
static const struct db_statement find_statement = {
    "canned_find",
    "SELECT " COLUMNS " FROM canned_replies WHERE org_id = $1::uuid AND id = $2::uuid", 2};
static const struct db_statement create_statement = {
    "canned_create",
    "INSERT INTO canned_replies (org_id, shortcut, language, text)"
    " SELECT $1::uuid, $2, $3, $4"
    "  WHERE (SELECT count(*) FROM canned_replies WHERE org_id = $1::uuid) < $5::int"
    " RETURNING " COLUMNS,
    5};
static const struct db_statement update_statement = {
    "canned_update",
    "UPDATE canned_replies SET shortcut = coalesce($3, shortcut), text = coalesce($4, text),"
    "       language = CASE WHEN $5::boolean THEN $6 ELSE language END, updated_at = now()"
    " WHERE org_id = $1::uuid AND id = $2::uuid RETURNING " COLUMNS,
    6};
static const struct db_statement delete_statement = {
    "canned_delete",
    "DELETE FROM canned_replies WHERE org_id = $1::uuid AND id = $2::uuid RETURNING 1", 2};

enum db_status canned_replies_list(struct db *db, const char *org, const char *language,
                                   const char *shortcut, const char *id, int most, PGresult **rows)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, language, shortcut, id, db_number(number, most)};

    return db_query(db, org, &list_statement, params, rows);
}

enum db_status canned_reply_find(struct db *db, const char *org, const char *id, PGresult **row)
{
    const char *params[] = {org, db_uuid(id)};

    return db_query(db, org, &find_statement, params, row);
}

enum db_status canned_reply_create(struct db *db, const char *org, const struct canned_reply *reply,
                                   PGresult **row)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, reply->shortcut, reply->language, reply->text,
                            db_number(number, CANNED_REPLIES_MAX)};

    return db_query(db, org, &create_statement, params, row);
}

enum db_status canned_reply_update(struct db *db, const char *org, const char *id,
                                   const struct canned_reply *reply, PGresult **row)
{
    const char *params[] = {org,
                            db_uuid(id),
                            reply->shortcut,
                            reply->text,
                            reply->speaks ? "true" : "false",
                            reply->language};

    return db_query(db, org, &update_statement, params, row);
}

enum db_status canned_reply_delete(struct db *db, const char *org, const char *id, bool *found)
{
    const char *params[] = {org, db_uuid(id)};

    return db_found(db, org, &delete_statement, params, found);
}
