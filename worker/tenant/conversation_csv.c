#include "tenant/conversation_csv.h"

#include "tenant/conversation.h"
#include "tenant/csv.h"
#include "tenant/money.h"

#define BOM "\xEF\xBB\xBF"

enum kind { TEXT, NUMBER, MONEY };

struct column {
    const char *name;
    int of; /* the rows */
    enum kind kind;
};

static const struct column conversation_columns[] = {
    {"id", CONVERSATION_ID, TEXT},
    {"started_at", CONVERSATION_STARTED, TEXT},
    {"updated_at", CONVERSATION_UPDATED, TEXT},
    {"ended_at", CONVERSATION_ENDED, TEXT},
    {"title", CONVERSATION_TITLE, TEXT},
    {"status", CONVERSATION_STATUS, TEXT},
    {"channel", CONVERSATION_CHANNEL, TEXT},
    {"language", CONVERSATION_LANGUAGE, TEXT},
    {"user_identifier", CONVERSATION_USER, TEXT},
    {"verified_name", CONVERSATION_NAME, TEXT},
    {"verified_email", CONVERSATION_EMAIL, TEXT},
    {"contact", CONVERSATION_CONTACT, TEXT},
    {"page_url", CONVERSATION_PAGE_URL, TEXT},
    {"model_id", CONVERSATION_MODEL, TEXT},
    {"messages", CONVERSATION_MESSAGES, NUMBER},
    {"tokens", CONVERSATION_TOKENS, NUMBER},
    {"cost_usd", CONVERSATION_COST_MICRO, MONEY},
    {"first_token_ms", CONVERSATION_FIRST_TOKEN_MS, NUMBER},
    {"response_ms", CONVERSATION_RESPONSE_MS, NUMBER},
    {"tool_calls", CONVERSATION_TOOL_CALLS, NUMBER},
    {"tool_failures", CONVERSATION_TOOL_FAILURES, NUMBER},
    {"handoff_at", CONVERSATION_HANDOFF_AT, TEXT},
    {"handoff_reason", CONVERSATION_HANDOFF_REASON, TEXT},
    {"operator", CONVERSATION_HOLDER_NAME, TEXT},
    {"team_id", CONVERSATION_TEAM, TEXT},
    {"rating", CONVERSATION_RATING, NUMBER},
    {"rating_comment", CONVERSATION_RATING_COMMENT, TEXT},
    {"feedback_up", CONVERSATION_FEEDBACK_UP, NUMBER},
    {"feedback_down", CONVERSATION_FEEDBACK_DOWN, NUMBER},
    {"resolved", CONVERSATION_RESOLVED, TEXT},
    {"sentiment", CONVERSATION_SENTIMENT, TEXT},
};
static const struct column message_columns[] = {
    {"id", MESSAGE_ID, TEXT},
    {"created_at", MESSAGE_CREATED, TEXT},
    {"role", MESSAGE_ROLE, TEXT},
    {"author", MESSAGE_AUTHOR, TEXT},
    {"content", MESSAGE_CONTENT, TEXT},
    {"status", MESSAGE_STATUS, TEXT},
    {"rating", MESSAGE_RATING, TEXT},
    {"rating_comment", MESSAGE_RATING_COMMENT, TEXT},
    {"model_id", MESSAGE_MODEL, TEXT},
    {"tokens_input", MESSAGE_TOKENS_INPUT, NUMBER},
    {"tokens_output", MESSAGE_TOKENS_OUTPUT, NUMBER},
    {"cost_usd", MESSAGE_COST_MICRO, MONEY},
    {"tools", MESSAGE_TOOLS, TEXT},
    {"citations", MESSAGE_CITATIONS, TEXT},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void write_names(struct buf *out, const struct column *columns, size_t count)
{
    struct csv csv = {.out = out};

    for (size_t i = 0; i < count; i++)
        csv_text(&csv, columns[i].name);
    csv_end_row(&csv);
}

static void write_row(struct buf *out, const struct column *columns, size_t count,
                      const PGresult *rows, int row)
{
    struct csv csv = {.out = out};
    char money[MONEY_SIZE];

    for (size_t i = 0; i < count; i++) {
        const char *text = db_text(rows, row, columns[i].of);
        if (text == NULL || columns[i].kind == TEXT)
            csv_text(&csv, text);
        else if (columns[i].kind == NUMBER)
            csv_number(&csv, text);
        else
            csv_number(&csv, money_text(money, db_int(rows, row, columns[i].of, 0)));
    }
    csv_end_row(&csv);
}

void conversation_csv_head(struct buf *out, bool of_messages)
{
    buf_puts(out, BOM);
    if (of_messages)
        write_names(out, message_columns, COUNT(message_columns));
    else
        write_names(out, conversation_columns, COUNT(conversation_columns));
}

void conversation_csv_row(struct buf *out, const PGresult *rows, int row)
{
    write_row(out, conversation_columns, COUNT(conversation_columns), rows, row);
}

void conversation_csv_message(struct buf *out, const PGresult *rows, int row)
{
    write_row(out, message_columns, COUNT(message_columns), rows, row);
}
