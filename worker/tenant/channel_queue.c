#include "tenant/channel_queue.h"

static const struct db_statement claim_inbox = {
    "channel_claim_inbox",
    "SELECT id, org_id, thread_id, channel, sender, name, language, text, job_id, waits_s,"
    "       session_id, conversation_id, goes_on FROM platform_claim_inbox($1::int, $2::int)",
    2};
static const struct db_statement begin = {
    "channel_begin",
    "WITH c AS ("
    "  INSERT INTO conversations (id, org_id, session_id, channel, user_identifier, language,"
    "                             contact)"
    "  VALUES ($4::uuid, $1::uuid, $3, $5, $6, $7,"
    "          jsonb_strip_nulls(jsonb_build_object('name', $8::text)))"
    "  RETURNING id, conversation_facts(conversations) AS facts"
    "), t AS ("
    "  UPDATE channel_threads SET session_id = $3, conversation_id = (SELECT id FROM c)"
    "   WHERE org_id = $1::uuid AND id = $2::uuid"
    ") SELECT facts FROM c",
    8};
static const struct db_statement name_job = {
    "channel_name_job",
    "UPDATE channel_inbox SET job_id = $3 WHERE org_id = $1::uuid AND id = $2::uuid", 3};
static const struct db_statement admitted = {
    "channel_admitted",
    "UPDATE channel_inbox SET state = 'admitted',"
    "       next_at = now() + make_interval(secs => $3::int)"
    " WHERE org_id = $1::uuid AND id = $2::uuid AND state = 'pending'",
    3};
static const struct db_statement later = {
    "channel_later",
    "UPDATE channel_inbox SET next_at = now() + $3::bigint * interval '1 millisecond'"
    " WHERE org_id = $1::uuid AND id = $2::uuid AND state = 'pending'",
    3};
static const struct db_statement give_up = {
    "channel_give_up",
    "UPDATE channel_inbox SET state = 'failed', text = ''"
    " WHERE org_id = $1::uuid AND id = $2::uuid AND state = 'pending'",
    2};
static const struct db_statement tell = {
    "channel_tell",
    "INSERT INTO channel_deliveries (org_id, thread_id, kind, text)"
    " VALUES ($1::uuid, $2::uuid, $3, $4)",
    4};
static const struct db_statement answer = {"channel_answer",
                                           "SELECT platform_answer_inbox($1::int)", 1};
static const struct db_statement claim_deliveries = {
    "channel_claim_deliveries",
    "SELECT id, org_id, channel_id, channel, sender, thread, name, language, conversation_id,"
    "       message_id, kind, author, text, notice, attempts, created_at, enabled, url, secret"
    "  FROM platform_claim_deliveries($1::int, $2::int, $3::int, $4::int)"
    " ORDER BY created_at, id",
    4};
static const struct db_statement settle = {
    "channel_settle",
    "UPDATE channel_deliveries SET last_error = $3,"
    "       state = CASE WHEN $3::text IS NULL THEN 'delivered' WHEN $4::boolean THEN 'failed'"
    "                    ELSE 'pending' END,"
    "       text = CASE WHEN $3::text IS NULL OR $4::boolean THEN '' ELSE text END,"
    "       settled_at = CASE WHEN $3::text IS NULL OR $4::boolean THEN now() END"
    " WHERE org_id = $1::uuid AND id = $2::uuid AND state = 'pending'",
    4};

enum db_status channel_claim_inbox(struct db *db, int most, PGresult **rows)
{
    char n[2][DB_NUMBER_SIZE];
    const char *params[] = {db_number(n[0], most), db_number(n[1], CHANNEL_LEASE_S)};

    return db_query(db, NULL, &claim_inbox, params, rows);
}

enum db_status channel_begin(struct db *db, const struct channel_start *s, PGresult **facts)
{
    const char *params[] = {s->org,     s->thread_id, s->session,  s->conversation,
                            s->channel, s->sender,    s->language, s->name};

    return db_query(db, s->org, &begin, params, facts);
}

enum db_status channel_name_job(struct db *db, const char *org, const char *id, const char *job)
{
    const char *params[] = {org, id, job};

    return db_query(db, org, &name_job, params, NULL);
}

enum db_status channel_admitted(struct db *db, const char *org, const char *id, int back_s)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, id, db_number(number, back_s)};

    return db_query(db, org, &admitted, params, NULL);
}

enum db_status channel_later(struct db *db, const char *org, const char *id, int64_t ms)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, id, db_number(number, ms)};

    return db_query(db, org, &later, params, NULL);
}

enum db_status channel_give_up(struct db *db, const char *org, const char *id)
{
    const char *params[] = {org, id};

    return db_query(db, org, &give_up, params, NULL);
}

enum db_status channel_tell(struct db *db, const char *org, const char *thread_id, const char *kind,
                            const char *text)
{
    const char *params[] = {org, thread_id, kind, text};

    return db_query(db, org, &tell, params, NULL);
}

enum db_status channel_answer(struct db *db, int most, int64_t *answered)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {db_number(number, most)};
    PGresult *row;

    enum db_status status = db_query(db, NULL, &answer, params, &row);
    if (status == DB_OK) {
        *answered = db_int(row, 0, 0, 0);
        PQclear(row);
    }
    return status;
}

enum db_status channel_claim_deliveries(struct db *db, int most, PGresult **rows)
{
    char n[4][DB_NUMBER_SIZE];
    const char *params[] = {db_number(n[0], most), db_number(n[1], CHANNEL_OF_ONE),
                            db_number(n[2], CHANNEL_FIRST_PAUSE_S),
                            db_number(n[3], CHANNEL_LAST_PAUSE_S)};

    return db_query(db, NULL, &claim_deliveries, params, rows);
}

enum db_status channel_settle(struct db *db, const char *org, const char *id, const char *error,
                              bool last)
{
    const char *params[] = {org, id, error, last ? "true" : "false"};

    return db_query(db, org, &settle, params, NULL);
}
