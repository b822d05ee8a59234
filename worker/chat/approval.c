#include "chat/approval.h"

#include <string.h>

#define UTC(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

static const struct db_statement list_statement = {
    "approvals_list",
    "SELECT id, tool_name, coalesce(summary, ''), parameters::text, conversation_id," UTC(
        "created_at") "," UTC("expires_at") ", status, approved_by"
                                            "  FROM tool_executions"
                                            " WHERE org_id = $1::uuid AND risk = 'high'"
                                            "   AND ($2::boolean OR status = 'approving')"
                                            " ORDER BY CASE WHEN $2::boolean THEN created_at END"
                                            "          DESC, created_at LIMIT $3::int",
    3};

static const struct db_statement decide_statement = {
    "approval_decide",
    "WITH t AS ("
    "  UPDATE tool_executions SET due = true, approved_by = $4::text, decided_at = now(),"
    "         status = CASE WHEN $3::boolean THEN 'approved' ELSE 'declined' END"
    "   WHERE org_id = $1::uuid AND id = $2::uuid AND status = 'approving' AND expires_at > now()"
    "  RETURNING id"
    ") SELECT EXISTS (SELECT FROM t),"
    "         EXISTS (SELECT FROM tool_executions"
    "                  WHERE org_id = $1::uuid AND id = $2::uuid AND risk = 'high')",
    4};

enum db_status approvals_list(struct db *db, struct arena *a, const char *org, bool all,
                              struct approval **list, size_t *count)
{
    char most[DB_NUMBER_SIZE];
    const char *params[] = {org, all ? "true" : "false", db_number(most, APPROVALS_MAX)};
    PGresult *result;
    *count = 0;
    enum db_status status = db_query(db, org, &list_statement, params, &result);
    if (status != DB_OK)
        return status;
    int rows = PQntuples(result);
    *list = arena_zalloc(a, (size_t)(rows + 1) * sizeof(**list));
    for (int i = 0; i < rows; i++)
        (*list)[(*count)++] = (struct approval){
            .id = arena_strdup(a, db_text(result, i, 0)),
            .tool = arena_strdup(a, db_text(result, i, 1)),
            .summary = arena_strdup(a, db_text(result, i, 2)),
            .arguments = arena_strdup(a, db_text(result, i, 3)),
            .conversation_id = arena_strdup(a, db_text(result, i, 4)),
            .created_at = arena_strdup(a, db_text(result, i, 5)),
            .expires_at = arena_strdup(a, db_text(result, i, 6)),
            .status = arena_strdup(a, db_text(result, i, 7)),
            .decided_by = arena_strdup(a, db_text(result, i, 8)),
        };
    PQclear(result);
    return DB_OK;
}

void approvals_write(struct fd_json_writer *w, const struct approval *list, size_t count)
{
    fd_jw_array(w);
    for (size_t i = 0; i < count; i++) {
        fd_jw_object(w);
        fd_jw_member(w, "id", list[i].id);
        fd_jw_member(w, "tool", list[i].tool);
        fd_jw_member(w, "summary", list[i].summary);
        fd_jw_key(w, "arguments");
        fd_jw_raw(w, list[i].arguments, strlen(list[i].arguments));
        fd_jw_member(w, "conversation_id", list[i].conversation_id);
        fd_jw_member(w, "created_at", list[i].created_at);
        fd_jw_member(w, "expires_at", list[i].expires_at);
        fd_jw_member(w, "status", list[i].status);
        fd_jw_member(w, "decided_by", list[i].decided_by);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

enum db_status approval_decide(struct db *db, const char *org, const char *id, bool approve,
                               const char *by, enum approval_verdict *verdict)
{
    const char *params[] = {org, id, approve ? "true" : "false", by};
    PGresult *result;
    enum db_status status = db_query(db, org, &decide_statement, params, &result);
    if (status != DB_OK)
        return status;
    *verdict = db_true(result, 0, 0)   ? APPROVAL_TAKEN
               : db_true(result, 0, 1) ? APPROVAL_CLOSED
                                       : APPROVAL_UNKNOWN;
    PQclear(result);
    return DB_OK;
}
