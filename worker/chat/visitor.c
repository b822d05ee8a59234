#include "chat/visitor.h"

#include <string.h>

#define CONTACT_MAX 8192

static const struct db_statement feedback_statement = {
    "visitor_feedback",
    "UPDATE messages m SET rating = $4, rating_comment = $5"
    "  FROM conversations c"
    " WHERE m.org_id = $1::uuid AND m.id = $2::uuid AND m.role = 'assistant'"
    "   AND c.org_id = m.org_id AND c.id = m.conversation_id AND ($3 = '' OR c.session_id = $3)"
    " RETURNING 1",
    5};

static const struct db_statement rate_statement = {
    "visitor_rate",
    "UPDATE conversations SET score = $3::smallint, score_comment = $4, scored_at = now()"
    " WHERE org_id = $1::uuid AND session_id = $2 RETURNING 1",
    4};

static const struct db_statement bind_statement = {
    "visitor_bind",
    "INSERT INTO conversations AS c (id, org_id, session_id, user_identifier, verified_id,"
    "                                verified_name, verified_email, verified_at)"
    " VALUES ($2::uuid, $1::uuid, $3, $4, $4, $5, $6, now())"
    " ON CONFLICT (org_id, session_id) DO UPDATE SET user_identifier = $4, verified_id = $4,"
    "   verified_name = coalesce($5, c.verified_name),"
    "   verified_email = coalesce($6, c.verified_email), verified_at = now()"
    " WHERE c.verified_id IS NULL OR c.verified_id = $4"
    " RETURNING 1",
    6};

static const struct db_statement identity_statement = {
    "visitor_identity",
    "SELECT verified_id, verified_name, verified_email FROM conversations"
    " WHERE org_id = $1::uuid AND session_id = $2 AND verified_id IS NOT NULL",
    2};

static const struct db_statement introduce_statement = {
    "visitor_introduce",
    "INSERT INTO conversations AS c (id, org_id, session_id, contact)"
    " VALUES ($2::uuid, $1::uuid, $3, $4::jsonb)"
    " ON CONFLICT (org_id, session_id) DO UPDATE SET contact = c.contact || EXCLUDED.contact",
    4};

static enum db_status touch(struct db *db, const char *org, const struct db_statement *statement,
                            const char *const *params, bool *touched)
{
    PGresult *result;
    *touched = false;
    enum db_status status = db_query(db, org, statement, params, &result);
    if (status != DB_OK)
        return status;
    *touched = PQntuples(result) > 0;
    PQclear(result);
    return DB_OK;
}

enum db_status visitor_feedback(struct db *db, const char *org, const char *session,
                                const char *message, const struct fd_feedback_request *request,
                                bool *found)
{
    const char *params[] = {org, message, session, request->rating, request->comment.s};
    return touch(db, org, &feedback_statement, params, found);
}

enum db_status visitor_rate(struct db *db, const char *org, const char *session,
                            const struct fd_rating_request *request, bool *found)
{
    char score[DB_NUMBER_SIZE];
    const char *params[] = {org, session, db_number(score, request->score), request->comment.s};
    return touch(db, org, &rate_statement, params, found);
}

enum db_status visitor_bind(struct db *db, const char *org, const char *session,
                            const struct identity *identity, bool *bound)
{
    char id[STORE_UUID_SIZE];
    const char *params[] = {org, id, session, identity->user_id, identity->name, identity->email};
    store_uuid(id, "conversation", org, session);
    return touch(db, org, &bind_statement, params, bound);
}

enum db_status visitor_identity(struct db *db, struct arena *a, const char *org,
                                const char *session, struct identity *identity)
{
    const char *params[] = {org, session};
    PGresult *result;
    *identity = (struct identity){0};
    enum db_status status = db_query(db, org, &identity_statement, params, &result);
    if (status != DB_OK)
        return status;
    if (PQntuples(result) > 0)
        *identity = (struct identity){arena_strdup(a, db_text(result, 0, 0)),
                                      arena_strdup(a, db_text(result, 0, 1)),
                                      arena_strdup(a, db_text(result, 0, 2))};
    PQclear(result);
    return DB_OK;
}

static void write_known(struct fd_json_writer *w, const char *key, const struct fd_text *text)
{
    if (text->s == NULL)
        return;
    fd_jw_key(w, key);
    fd_jw_string(w, text->s, text->len);
}

bool visitor_contact_json(const struct fd_contact *contact, struct buf *out)
{
    struct fd_json_writer w;
    buf_json(out, &w);
    fd_jw_object(&w);
    write_known(&w, "name", &contact->name);
    write_known(&w, "email", &contact->email);
    write_known(&w, "phone", &contact->phone);
    fd_jw_end_object(&w);
    return buf_json_end(out, &w);
}

enum db_status visitor_introduce(struct db *db, const char *org, const char *session,
                                 const struct fd_contact *contact)
{
    char id[STORE_UUID_SIZE];
    struct buf json;
    enum db_status status = DB_FAILED;
    store_uuid(id, "conversation", org, session);
    buf_init(&json, CONTACT_MAX);
    if (visitor_contact_json(contact, &json)) {
        const char *params[] = {org, id, session, json.data};
        status = db_query(db, org, &introduce_statement, params, NULL);
    }
    buf_free(&json);
    return status;
}
