#include "chat/store.h"

#include "protocol/ids.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES_MAX 524288 /* of contents; a page may be shorter for that */

static const struct db_statement outcome_statement = {
    "job_outcome",
    "SELECT j.epoch, j.state, coalesce(j.outcome::text, '{}'), j.body->>'stream' = 'true', "
    "m.content, j.body ? 'messages', j.body->'stream_options'->>'include_usage' = 'true'"
    "  FROM jobs j LEFT JOIN messages m ON m.org_id = j.org_id AND m.job_id = j.id"
    "       AND m.role = 'assistant' AND m.created_at = j.accepted_at + interval '1 microsecond'"
    " WHERE j.org_id = $1::uuid AND j.id = $2 AND ($3 = '' OR j.session_id = $3)",
    3};

static const struct db_statement history_statement = {
    "session_history",
    "SELECT c.status, m.role, left(m.content, 16384), m.route->>'tier',"
    "       (extract(epoch FROM m.created_at) * 1000)::bigint"
    "  FROM conversations c LEFT JOIN LATERAL ("
    "  SELECT role, content, route, created_at FROM messages"
    "   WHERE org_id = c.org_id AND conversation_id = c.id AND role IN ('user', 'assistant', "
    "'tool', 'operator')"
    "     AND job_id IS DISTINCT FROM $3"
    "   ORDER BY created_at DESC LIMIT $4::int) m ON true"
    " WHERE c.org_id = $1::uuid AND c.session_id = $2 ORDER BY m.created_at",
    4};

static const struct db_statement page_statement = {
    "session_page",
    "SELECT m.id, m.role, m.content,"
    "       to_char(m.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"
    "       m.job_id, m.status, m.citations::text, m.model_id,"
    "       (extract(epoch FROM m.created_at) * 1000000)::bigint, m.rating, m.author,"
    "       c.status, c.score, c.holder_name"
    "  FROM conversations c LEFT JOIN LATERAL ("
    "  SELECT * FROM messages"
    "   WHERE org_id = c.org_id AND conversation_id = c.id"
    "     AND role IN ('user', 'assistant', 'operator')"
    "     AND ($3::bigint IS NULL OR (created_at, id) <"
    "          (timestamptz 'epoch' + $3::bigint * interval '1 microsecond', $4::uuid))"
    "   ORDER BY created_at DESC, id DESC LIMIT $5::int) m ON true"
    " WHERE c.org_id = $1::uuid AND c.session_id = $2"
    " ORDER BY m.created_at DESC, m.id DESC",
    5};

static const struct db_statement end_statement = {
    "session_end",
    "INSERT INTO conversations (id, org_id, session_id, status, ended_at)"
    " VALUES ($3::uuid, $1::uuid, $2, 'ended', now())"
    " ON CONFLICT (org_id, session_id) DO UPDATE SET status = 'ended', updated_at = now(),"
    "   holder = NULL, holder_name = NULL, ended_at = coalesce(conversations.ended_at, now())"
    " RETURNING conversation_facts(conversations)",
    3};

static enum fd_event_type event_of(const char *state, bool stream)
{
    if (strcmp(state, "done") == 0)
        return stream ? FD_EVENT_DONE : FD_EVENT_ANSWER;
    return strcmp(state, "cancelled") == 0 ? FD_EVENT_CANCELLED : FD_EVENT_ERROR;
}

enum db_status store_outcome(struct db *db, struct arena *a, const char *org, const char *session,
                             const char *job, struct store_outcome *outcome, bool *found)
{
    const char *params[] = {org, job, session};
    PGresult *result;
    enum db_status status = db_query(db, org, &outcome_statement, params, &result);
    if (status != DB_OK)
        return status;
    *found = PQntuples(result) > 0;
    if (*found) {
        const char *state = db_text(result, 0, 1);
        outcome->epoch = (int)db_int(result, 0, 0, 0);
        outcome->terminal = strcmp(state, "running") != 0;
        outcome->stream = db_true(result, 0, 3);
        outcome->event = event_of(state, outcome->stream);
        outcome->data = arena_strdup(a, db_text(result, 0, 2));
        outcome->text = arena_strdup(a, db_text(result, 0, 4));
        outcome->door = db_true(result, 0, 5);
        outcome->usage = db_true(result, 0, 6);
    }
    PQclear(result);
    return DB_OK;
}

bool store_is_human(const char *status)
{
    return status != NULL && (strcmp(status, "waiting_human") == 0 || strcmp(status, "human") == 0);
}

static void read_last(const PGresult *result, int row, struct route_last *last)
{
    const char *tier = db_text(result, row, 3);
    struct route_last found = {.at_ms = db_int(result, row, 4, 0)};
    found.known = tier != NULL && route_tier_read(tier, &found.tier);
    if (found.known)
        *last = found;
}

enum db_status store_history(struct db *db, struct arena *a, const char *org, const char *session,
                             const char *except_job, int most, struct llm_message **messages,
                             size_t *count, struct route_last *last, bool *ended, bool *human)
{
    char limit[DB_NUMBER_SIZE];
    const char *params[] = {org, session, except_job, db_number(limit, most)};
    PGresult *result;
    *count = 0;
    *last = (struct route_last){0};
    *ended = *human = false;
    enum db_status status = db_query(db, org, &history_statement, params, &result);
    if (status != DB_OK)
        return status;
    int rows = PQntuples(result);
    *messages = arena_zalloc(a, (size_t)(rows + 1) * sizeof(**messages));
    for (int i = 0; i < rows; i++) {
        *ended = strcmp(db_text(result, i, 0), "ended") == 0;
        *human = store_is_human(db_text(result, i, 0));
        const char *role = db_text(result, i, 1);
        if (role == NULL)
            continue; /* a conversation without messages */
        struct llm_message *message = &(*messages)[(*count)++];
        message->role = strcmp(role, "user") == 0 ? LLM_USER : LLM_ASSISTANT;
        message->text = arena_strdup(a, db_text(result, i, 2));
        read_last(result, i, last);
    }
    PQclear(result);
    return DB_OK;
}

/* -- pages -------------------------------------------------------------------------------- */

/* base64url of "<microseconds> <uuid>". */
static bool cursor_read(const char *cursor, char us[24], char id[STORE_UUID_SIZE])
{
    char text[80];
    size_t len;
    if (sodium_base642bin((unsigned char *)text, sizeof(text) - 1, cursor, strlen(cursor), NULL,
                          &len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    text[len] = '\0';
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 17 || text[digits] != ' ' ||
        !fd_uuid_valid(text + digits + 1, len - digits - 1))
        return false;
    snprintf(us, 24, "%.*s", (int)digits, text);
    snprintf(id, STORE_UUID_SIZE, "%s", text + digits + 1);
    return true;
}

static void cursor_write(struct fd_json_writer *w, const PGresult *result, int row)
{
    char text[80];
    char cursor[sodium_base64_ENCODED_LEN(sizeof(text), sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    int len =
        snprintf(text, sizeof(text), "%s %s", db_text(result, row, 8), db_text(result, row, 0));
    sodium_bin2base64(cursor, sizeof(cursor), (const unsigned char *)text, (size_t)len,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    fd_jw_cstring(w, cursor);
}

static void write_message(struct fd_json_writer *w, const PGresult *result, int row)
{
    const char *citations = db_text(result, row, 6);
    fd_jw_object(w);
    fd_jw_member(w, "id", db_text(result, row, 0));
    fd_jw_member(w, "role", db_text(result, row, 1));
    fd_jw_member(w, "content", db_text(result, row, 2));
    fd_jw_member(w, "created_at", db_text(result, row, 3));
    fd_jw_member(w, "job_id", db_text(result, row, 4));
    fd_jw_member(w, "status", db_text(result, row, 5));
    fd_jw_key(w, "citations");
    if (citations != NULL)
        fd_jw_raw(w, citations, strlen(citations));
    else
        fd_jw_raw(w, "[]", 2);
    fd_jw_member(w, "model", db_text(result, row, 7));
    fd_jw_member(w, "rating", db_text(result, row, 9));
    if (db_text(result, row, 10) != NULL)
        fd_jw_member(w, "name", db_text(result, row, 10));
    fd_jw_end_object(w);
}

/* What a page shows of the conversation itself after a reload. */
static void write_conversation(struct fd_json_writer *w, const PGresult *result)
{
    bool exists = PQntuples(result) > 0;
    fd_jw_member(w, "status", exists ? db_text(result, 0, 11) : "active");
    fd_jw_key(w, "score");
    if (exists && db_text(result, 0, 12) != NULL)
        fd_jw_int(w, db_int(result, 0, 12, 0));
    else
        fd_jw_null(w);
    if (exists && db_text(result, 0, 13) != NULL)
        fd_jw_member(w, "name", db_text(result, 0, 13));
}

/* Of a conversation without a message there is one row, of nothing. */
static int rows_of(const PGresult *result)
{
    return PQntuples(result) > 0 && db_text(result, 0, 0) != NULL ? PQntuples(result) : 0;
}

/* Rows come newest first; how many of them make the page. */
static int rows_of_page(const PGresult *result, int limit)
{
    int rows = rows_of(result) < limit ? rows_of(result) : limit;
    size_t bytes = 0;
    for (int i = 0; i < rows; i++) {
        bytes += (size_t)PQgetlength(result, i, 2);
        if (bytes > PAGE_BYTES_MAX && i > 0)
            return i;
    }
    return rows;
}

enum db_status store_history_page(struct db *db, const char *org, const char *session, int limit,
                                  const char *cursor, struct buf *out, enum store_page *page)
{
    char us[24], id[STORE_UUID_SIZE], most[DB_NUMBER_SIZE];
    *page = STORE_PAGE_OK;
    if (cursor != NULL && !cursor_read(cursor, us, id)) {
        *page = STORE_PAGE_BAD_CURSOR;
        return DB_OK;
    }
    const char *params[] = {org, session, cursor != NULL ? us : NULL, cursor != NULL ? id : NULL,
                            db_number(most, limit + 1)};
    PGresult *result;
    enum db_status status = db_query(db, org, &page_statement, params, &result);
    if (status != DB_OK)
        return status;

    int rows = rows_of_page(result, limit);
    struct fd_json_writer w;
    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "messages");
    fd_jw_array(&w);
    for (int i = rows - 1; i >= 0; i--)
        write_message(&w, result, i);
    fd_jw_end_array(&w);
    fd_jw_key(&w, "next_cursor");
    if (rows < rows_of(result))
        cursor_write(&w, result, rows - 1);
    else
        fd_jw_null(&w);
    write_conversation(&w, result);
    fd_jw_end_object(&w);
    PQclear(result);
    return buf_json_end(out, &w) ? DB_OK : DB_FAILED;
}

enum db_status store_end_session(struct db *db, struct arena *a, const char *org,
                                 const char *session, const char *conversation_id,
                                 const char **facts)
{
    const char *params[] = {org, session, conversation_id};
    PGresult *row;
    *facts = NULL;
    enum db_status status = db_query(db, org, &end_statement, params, &row);
    if (status == DB_OK) {
        *facts = arena_strdup(a, db_text(row, 0, 0));
        PQclear(row);
    }
    return status;
}
