/* A conversation and its messages as JSON. */
#include "tenant/conversation.h"

#include "core/reason.h"

static void number(struct fd_json_writer *w, const char *key, const PGresult *rows, int row,
                   int column)
{
    fd_jw_key(w, key);
    if (db_text(rows, row, column) != NULL)
        fd_jw_int(w, db_int(rows, row, column, 0));
    else
        fd_jw_null(w);
}

static void dollars(struct fd_json_writer *w, const PGresult *rows, int row, int column)
{
    fd_jw_key(w, "cost_usd");
    if (db_text(rows, row, column) != NULL)
        fd_jw_double(w, (double)db_int(rows, row, column, 0) / 1e6);
    else
        fd_jw_null(w);
}

static void json(struct fd_json_writer *w, const char *key, const PGresult *rows, int row,
                 int column, const char *otherwise)
{
    const char *text = db_text(rows, row, column);

    fd_jw_member_raw(w, key, text != NULL ? text : otherwise);
}

static void write_handoff(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_key(w, "handoff");
    if (db_text(rows, row, CONVERSATION_HANDOFF_AT) == NULL) {
        fd_jw_null(w);
        return;
    }
    fd_jw_object(w);
    fd_jw_member(w, "at", db_text(rows, row, CONVERSATION_HANDOFF_AT));
    fd_jw_member(w, "reason", db_text(rows, row, CONVERSATION_HANDOFF_REASON));
    fd_jw_end_object(w);
}

void conversation_write_members(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member(w, "id", db_text(rows, row, CONVERSATION_ID));
    fd_jw_member(w, "title", db_text(rows, row, CONVERSATION_TITLE));
    fd_jw_member(w, "status", db_text(rows, row, CONVERSATION_STATUS));
    fd_jw_member(w, "holder", db_text(rows, row, CONVERSATION_HOLDER));
    fd_jw_member(w, "name", db_text(rows, row, CONVERSATION_HOLDER_NAME));
    number(w, "version", rows, row, CONVERSATION_VERSION);
    fd_jw_member(w, "waiting_since", db_text(rows, row, CONVERSATION_WAITING_SINCE));
    fd_jw_member(w, "team_id", db_text(rows, row, CONVERSATION_TEAM));
    fd_jw_member(w, "channel", db_text(rows, row, CONVERSATION_CHANNEL));
    fd_jw_member(w, "language", db_text(rows, row, CONVERSATION_LANGUAGE));
    fd_jw_member(w, "user_identifier", db_text(rows, row, CONVERSATION_USER));
    fd_jw_member(w, "verified_name", db_text(rows, row, CONVERSATION_NAME));
    fd_jw_member(w, "verified_email", db_text(rows, row, CONVERSATION_EMAIL));
    json(w, "contact", rows, row, CONVERSATION_CONTACT, "{}");
    fd_jw_member(w, "page_url", db_text(rows, row, CONVERSATION_PAGE_URL));
    fd_jw_member(w, "model_id", db_text(rows, row, CONVERSATION_MODEL));
    fd_jw_member(w, "model", db_text(rows, row, CONVERSATION_MODEL_NAME));
    number(w, "messages_total", rows, row, CONVERSATION_MESSAGES);
    number(w, "tokens", rows, row, CONVERSATION_TOKENS);
    dollars(w, rows, row, CONVERSATION_COST_MICRO);
    fd_jw_member(w, "started_at", db_text(rows, row, CONVERSATION_STARTED));
    fd_jw_member(w, "updated_at", db_text(rows, row, CONVERSATION_UPDATED));
    fd_jw_member(w, "ended_at", db_text(rows, row, CONVERSATION_ENDED));
    number(w, "first_token_ms", rows, row, CONVERSATION_FIRST_TOKEN_MS);
    number(w, "response_ms", rows, row, CONVERSATION_RESPONSE_MS);
    number(w, "tool_calls", rows, row, CONVERSATION_TOOL_CALLS);
    number(w, "tool_failures", rows, row, CONVERSATION_TOOL_FAILURES);
    write_handoff(w, rows, row);
    number(w, "rating", rows, row, CONVERSATION_RATING);
    fd_jw_member(w, "rating_comment", db_text(rows, row, CONVERSATION_RATING_COMMENT));
    fd_jw_key(w, "feedback");
    fd_jw_object(w);
    fd_jw_member_int(w, "up", db_int(rows, row, CONVERSATION_FEEDBACK_UP, 0));
    fd_jw_member_int(w, "down", db_int(rows, row, CONVERSATION_FEEDBACK_DOWN, 0));
    fd_jw_end_object(w);
    json(w, "resolved", rows, row, CONVERSATION_RESOLVED, "null");
    fd_jw_member(w, "sentiment", db_text(rows, row, CONVERSATION_SENTIMENT));
}

void conversation_write_message(struct fd_json_writer *w, const PGresult *rows, int row)
{
    const char *content = db_text(rows, row, MESSAGE_CONTENT);
    const char *tools = db_text(rows, row, MESSAGE_TOOLS);

    fd_jw_object(w);
    fd_jw_member(w, "id", db_text(rows, row, MESSAGE_ID));
    fd_jw_member(w, "role", db_text(rows, row, MESSAGE_ROLE));
    fd_jw_member(w, "content", content);
    fd_jw_member(w, "author", db_text(rows, row, MESSAGE_AUTHOR));
    fd_jw_member(w, "rating", db_text(rows, row, MESSAGE_RATING));
    fd_jw_member(w, "rating_comment", db_text(rows, row, MESSAGE_RATING_COMMENT));
    fd_jw_member(w, "status", db_text(rows, row, MESSAGE_STATUS));
    fd_jw_member(w, "created_at", db_text(rows, row, MESSAGE_CREATED));
    fd_jw_member(w, "finished_at", db_text(rows, row, MESSAGE_FINISHED));
    fd_jw_member(w, "model_id", db_text(rows, row, MESSAGE_MODEL));
    json(w, "route", rows, row, MESSAGE_ROUTE, "null");
    json(w, "citations", rows, row, MESSAGE_CITATIONS, "[]");
    fd_jw_key(w, "tools");
    reason_write_rows(w, tools != NULL ? tools : "[]", "detail", "detail_reason");
    number(w, "tokens_input", rows, row, MESSAGE_TOKENS_INPUT);
    number(w, "tokens_output", rows, row, MESSAGE_TOKENS_OUTPUT);
    dollars(w, rows, row, MESSAGE_COST_MICRO);
    fd_jw_end_object(w);
}
