#include "tenant/conversation.h"

#include "protocol/ids.h"

#include <string.h>

#define CANCELED    "57014" /* SQLSTATE: a statement that took too long, for one */
#define ISO(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define MOOD                                                                                       \
    "CASE WHEN o.mood < 0 THEN 'negative' WHEN o.mood = 0 THEN 'neutral'"                          \
    "     WHEN o.mood > 0 THEN 'positive' END"
/* clang-format off */
#define COLUMNS                                                                                    \
    " c.title, c.status, c.channel, c.language, c.user_identifier, c.verified_name,"            \
    " c.verified_email, c.contact, c.page_url, c.model_id, c.model_name, c.message_count, c.tokens_total, "                     \
    ISO("c.started_at") ", " ISO("c.updated_at") ", " ISO("c.ended_at") ","                        \
    " o.first_token_ms, o.response_ms, o.tool_calls, o.tool_failures, o.cost_micro, "              \
    ISO("o.handoff_at") ", o.handoff_reason, o.rating, c.score_comment, o.feedback_up,"              \
    " o.feedback_down,"                                                                            \
    " o.resolved::text, " MOOD ", c.holder, c.holder_name, c.version,"                             \
    " CASE WHEN c.status = 'waiting_human' THEN " ISO("c.handoff_at") " END, c.team_id"
/* clang-format on */
#define OUTCOME                                                                                    \
    " LEFT JOIN conversation_outcomes o ON o.org_id = c.org_id AND o.conversation_id = c.id"       \
    "   AND o.started_at = c.started_at"

static const struct db_statement list_statement = {
    "conversation_list",
    "SELECT c.id, f.at," COLUMNS
    "  FROM find_conversations($2::jsonb, $3::boolean, $4::timestamptz, $5::uuid, $6::int) f"
    "  JOIN conversations c ON c.org_id = $1::uuid AND c.id = f.id" OUTCOME
    " ORDER BY f.at DESC, f.id DESC",
    6};
static const struct db_statement elsewhere_statement = {
    "conversation_list_elsewhere",
    "SELECT c.id, f.at," COLUMNS ", c.org_id, f.organization"
    "  FROM platform_conversations($1::uuid, $2::boolean, $3::jsonb, $4::boolean,"
    "         $5::timestamptz, $6::uuid, $7::int, $8, $9) f"
    " CROSS JOIN LATERAL (SELECT (f.conversation).*) c"
    " CROSS JOIN LATERAL (SELECT (f.outcome).*) o"
    " ORDER BY f.at DESC, c.id DESC",
    9};
/* A filter that few of all conversations fit is looked for among all of them. */
static const struct db_statement limit_statement = {"conversation_list_limit",
                                                    "SET LOCAL statement_timeout = '2s'", 0};
static const struct db_statement find_statement = {"conversation_find",
                                                   "SELECT c.id, c.started_at," COLUMNS
                                                   "  FROM conversations c" OUTCOME
                                                   " WHERE c.org_id = $1::uuid AND c.id = $2::uuid",
                                                   2};

/* What a question cost stands with its answer, or with itself where none came. An answer of a
 * tool is cut where it is long: it is told what it was, not delivered. */
static const struct db_statement messages_statement = {
    "conversation_messages",
    "SELECT m.id, m.created_at, m.role, m.content, m.author, m.rating, m.rating_comment, m.status, "
    "m.model_id, "
    "m.citations, m.route,"
    "       t.tools, l.input, l.output, l.cost, " ISO("m.created_at") ", " ISO(
        "m.finished_at") "  FROM (SELECT m.*, m.job_id IS NOT NULL AND (m.role = 'assistant' OR"
                         "               (m.role = 'user' AND NOT EXISTS (SELECT FROM messages a"
                         "                  WHERE a.job_id = m.job_id AND a.role = 'assistant'"
                         "                    AND a.org_id = m.org_id))) AS bears"
                         "          FROM messages m"
                         "         WHERE m.org_id = $1::uuid AND m.conversation_id = $2::uuid"
                         "           AND ($3::timestamptz IS NULL"
                         "                OR (m.created_at, m.id) > ($3::timestamptz, $4::uuid))"
                         "         ORDER BY m.created_at, m.id LIMIT $5::int) m"
                         "  LEFT JOIN LATERAL ("
                         "    SELECT jsonb_agg(jsonb_build_object('call_id', x.call_id,"
                         "             'name', x.tool_name, 'risk', x.risk, 'status', x.status,"
                         "             'parameters', x.parameters,"
                         "             'response', CASE WHEN length(x.response::text) <= 16384"
                         "                              THEN x.response"
                         "                              ELSE to_jsonb(left(x.response::text, "
                         "16384))"
                         "                         END,"
                         "             'detail', x.detail, 'http_status', x.http_status,"
                         "             'approved_by', x.approved_by, 'ms', x.execution_time_ms)"
                         "             ORDER BY x.created_at, x.id) AS tools"
                         "      FROM tool_executions x"
                         "     WHERE x.org_id = $1::uuid AND x.job_id = m.job_id) t ON m.bears"
                         "  LEFT JOIN LATERAL ("
                         "    SELECT sum(x.tokens_input + x.tokens_cache_read"
                         "               + x.tokens_cache_write) AS input,"
                         "           sum(x.tokens_output) AS output,"
                         "           CASE WHEN bool_and(x.cost_micro IS NOT NULL)"
                         "                THEN sum(x.cost_micro) END AS cost"
                         "      FROM usage_ledger x"
                         "     WHERE x.org_id = $1::uuid AND x.job_id = m.job_id) l ON m.bears"
                         " ORDER BY m.created_at, m.id",
    5};
static const struct db_statement update_statement = {
    "conversation_update",
    "UPDATE conversations c SET status = coalesce($3::text, status),"
    "       title = coalesce($4::text, title),"
    "       team_id = CASE WHEN $5::boolean THEN $6::uuid ELSE team_id END"
    " WHERE org_id = $1::uuid AND id = $2::uuid"
    "   AND ($3::text IS NULL OR status NOT IN ('waiting_human', 'human', 'ended'))",
    6};
static const struct db_statement facts_statement = {
    "conversation_facts",
    "SELECT conversation_facts(c) FROM conversations c WHERE org_id = $1::uuid AND id = $2::uuid",
    2};

enum db_status conversation_list(struct db *db, const char *org,
                                 const struct conversation_filter *filter,
                                 struct conversation_place after, int most, PGresult **rows)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org,      filter->json, filter->by_activity ? "true" : "false",
                            after.at, after.id,     db_number(number, most)};

    return db_query(db, org, &list_statement, params, rows);
}

enum db_status conversation_list_elsewhere(struct db *db, const char *org,
                                           const struct conversation_reader *reader,
                                           const struct conversation_filter *filter,
                                           struct conversation_place after, int shown,
                                           bool *too_much, PGresult **rows)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {reader->session,
                            org == NULL ? "true" : "false",
                            filter->json,
                            filter->by_activity ? "true" : "false",
                            after.at,
                            after.id,
                            db_number(number, shown),
                            reader->address,
                            reader->request_id};

    *rows = NULL;
    *too_much = false;
    enum db_status status = db_begin(db, org);
    if (status == DB_OK && org == NULL)
        status = db_exec(db, &limit_statement, NULL, NULL);
    if (status == DB_OK)
        status = db_exec(db, &elsewhere_statement, params, rows);
    if (status == DB_BUSY && org == NULL)
        *too_much = strcmp(db_sqlstate(db), CANCELED) == 0;
    status = db_end(db, status);
    if (status != DB_OK) {
        PQclear(*rows);
        *rows = NULL;
    }
    return status;
}

enum db_status conversation_find(struct db *db, const char *org, const char *id, PGresult **row)
{
    /* what is no id names nothing */
    const char *params[] = {org, fd_uuid_valid(id, strlen(id)) ? id : NULL};

    return db_query(db, org, &find_statement, params, row);
}

enum db_status conversation_messages(struct db *db, const char *org, const char *id,
                                     struct conversation_place after, int most, PGresult **rows)
{
    char number[DB_NUMBER_SIZE];
    const char *params[] = {org, id, after.at, after.id, db_number(number, most)};

    return db_query(db, org, &messages_statement, params, rows);
}

static enum conversation_change change_of(bool changed, const char *status)
{
    if (changed)
        return CONVERSATION_CHANGED;
    return strcmp(status, "ended") == 0 ? CONVERSATION_OVER : CONVERSATION_WITH_PEOPLE;
}

enum db_status conversation_update(struct db *db, const char *org, const char *id,
                                   const struct conversation_edit *edit,
                                   enum conversation_change *change, PGresult **row)
{
    const char *params[] = {org,         fd_uuid_valid(id, strlen(id)) ? id : NULL, edit->status,
                            edit->title, edit->assigns ? "true" : "false",          edit->team};
    PGresult *updated;

    *row = NULL;
    *change = CONVERSATION_UNKNOWN;
    enum db_status done = db_query(db, org, &update_statement, params, &updated);
    if (done != DB_OK)
        return done;
    bool changed = strcmp(PQcmdTuples(updated), "1") == 0;
    PQclear(updated);
    done = conversation_find(db, org, id, row);
    if (done == DB_OK && PQntuples(*row) == 1)
        *change = change_of(changed, db_text(*row, 0, CONVERSATION_STATUS));
    return done;
}

enum db_status conversation_facts(struct db *db, struct arena *a, const char *org, const char *id,
                                  const char **facts)
{
    const char *params[] = {org, id};
    PGresult *row;

    *facts = NULL;
    enum db_status status = db_query(db, org, &facts_statement, params, &row);
    if (status == DB_OK && PQntuples(row) == 1)
        *facts = arena_strdup(a, db_text(row, 0, 0));
    if (status == DB_OK)
        PQclear(row);
    return status;
}
