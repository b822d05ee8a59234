#include "tool/settings_json.h"

#include "core/reason.h"

void tools_write(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member(w, "name", db_text(rows, row, TOOLS_NAME));
    fd_jw_member(w, "origin", db_text(rows, row, TOOLS_ORIGIN));
    fd_jw_member(w, "category", db_text(rows, row, TOOLS_CATEGORY));
    fd_jw_member_bool(w, "enabled", db_true(rows, row, TOOLS_ENABLED));
    fd_jw_member(w, "risk", db_text(rows, row, TOOLS_RISK));
    fd_jw_member(w, "description", db_text(rows, row, TOOLS_DESCRIPTION));
    fd_jw_member_raw(w, "parameters_schema", db_text(rows, row, TOOLS_SCHEMA));
    fd_jw_member(w, "url", db_text(rows, row, TOOLS_URL));
    fd_jw_member_raw(w, "bindings", db_text(rows, row, TOOLS_BINDINGS));
    fd_jw_member_int(w, "timeout_ms", db_int(rows, row, TOOLS_TIMEOUT_MS, 0));
    fd_jw_member(w, "reply", db_true(rows, row, TOOLS_ACKNOWLEDGEMENT) ? "none" : "data");
    fd_jw_member_bool(w, "signed", db_true(rows, row, TOOLS_SIGNED));
    fd_jw_member(w, "token_header", db_text(rows, row, TOOLS_TOKEN_HEADER));
    fd_jw_member_raw(w, "config", db_text(rows, row, TOOLS_CONFIG));
    fd_jw_member(w, "updated_at", db_text(rows, row, TOOLS_UPDATED_AT));
}

void tools_write_execution(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member(w, "id", db_text(rows, row, EXECUTIONS_ID));
    fd_jw_member(w, "created_at", db_text(rows, row, EXECUTIONS_CREATED_AT));
    fd_jw_member(w, "tool", db_text(rows, row, EXECUTIONS_TOOL));
    fd_jw_member(w, "status", db_text(rows, row, EXECUTIONS_STATUS));
    fd_jw_member(w, "failure", db_text(rows, row, EXECUTIONS_FAILURE));
    fd_jw_member_int(w, "http_status", db_int(rows, row, EXECUTIONS_HTTP_STATUS, 0));
    fd_jw_member_int(w, "ms", db_int(rows, row, EXECUTIONS_MS, 0));
    reason_member(w, "detail", db_text(rows, row, EXECUTIONS_DETAIL));
    fd_jw_member(w, "conversation_id", db_text(rows, row, EXECUTIONS_CONVERSATION));
    fd_jw_member(w, "job_id", db_text(rows, row, EXECUTIONS_JOB));
    fd_jw_member(w, "approved_by", db_text(rows, row, EXECUTIONS_APPROVED_BY));
    fd_jw_member_raw(w, "arguments", db_text(rows, row, EXECUTIONS_PARAMETERS));
    fd_jw_member_raw(w, "response", db_text(rows, row, EXECUTIONS_RESPONSE));
}

void tools_write_test(struct fd_json_writer *w, const struct trial *test)
{
    const struct tool_result *r = &test->result;

    fd_jw_object(w);
    fd_jw_member(w, "request_id", test->request_id);
    fd_jw_member_bool(w, "ok", r->failure == TOOL_OK);
    fd_jw_member(w, "failure", r->failure == TOOL_OK ? NULL : tool_failure_name(r->failure));
    fd_jw_member_int(w, "http_status", r->status);
    fd_jw_member_int(w, "ms", r->ms);
    reason_member(w, "detail", r->operator_detail);
    wire_write(w, &test->wire);
    fd_jw_key(w, "result");
    fd_jw_raw(w, r->json, r->len);
    fd_jw_end_object(w);
}
