/* What nginx serves itself: the API of widgets and of programs (docs/api.md, docs/openai.md). */
#include "admin/openapi.h"
#include "protocol/limits.h"

#define ANSWER                                                                                     \
    "{response: text|null, session_id: text, message_id: text, conversation_id?: uuid,"            \
    " model?: text|null, *: json}"
#define PROFILE                                                                                    \
    {"name", ADMIN_TEXT}, {"email", ADMIN_TEXT, .format = "email"}, {"phone", ADMIN_TEXT},

static const struct admin_field page_fields[] = {
    {"page_url", ADMIN_TEXT, .format = "uri"},
    {"title", ADMIN_TEXT},
};
static const struct admin_field chat_fields[] = {
    {"message", ADMIN_TEXT, .required = true, .max = FD_MESSAGE_MAX},
    {"session_id", ADMIN_TEXT, .max = FD_SESSION_ID_LEN, .note = "without it a new one starts"},
    {"stream", ADMIN_BOOL},
    {"model_id", ADMIN_TEXT, .max = FD_MODEL_ID_MAX},
    {"client_message_id", ADMIN_TEXT, .note = "makes it idempotent, as Idempotency-Key does"},
    {"dry_run", ADMIN_BOOL},
    {"cache", ADMIN_BOOL},
    {"language", ADMIN_TEXT, .max = FD_LANGUAGE_MAX},
    {"user_id", ADMIN_TEXT},
    {"context", ADMIN_OBJECT, .members = ADMIN_BODY(page_fields)},
    {"identity", ADMIN_TEXT, .note = "a token that binds the session to a user"},
    {"client_api_key", ADMIN_TEXT, .note = "a publishable key, where no header can be sent"},
};
static const struct admin_field confirm_fields[] = {
    {"call_id", ADMIN_TEXT, .required = true},
    {"decision", ADMIN_TEXT, .required = true, .one_of = "accept|decline"},
};
static const struct admin_field start_fields[] = {
    {"client_api_key", ADMIN_TEXT},
    {"language", ADMIN_TEXT, .max = FD_LANGUAGE_MAX},
    {"user_id", ADMIN_TEXT},
    {"context", ADMIN_OBJECT, .members = ADMIN_BODY(page_fields)},
};
static const struct admin_field feedback_fields[] = {
    {"rating", ADMIN_TEXT | ADMIN_NULL, .required = true, .one_of = "up|down"},
    {"comment", ADMIN_TEXT},
};
static const struct admin_field rating_fields[] = {
    {"score", ADMIN_INT, .required = true, .min = 1, .max = 5},
    {"comment", ADMIN_TEXT},
};
static const struct admin_field handoff_fields[] = {{"reason", ADMIN_TEXT}, PROFILE};
static const struct admin_field profile_fields[] = {PROFILE};
static const struct admin_field identify_fields[] = {
    {"token", ADMIN_TEXT, .note = "a JSON Web Token, HS256"},
    {"user_id", ADMIN_TEXT},
    {"user_hash", ADMIN_TEXT, .note = "HMAC-SHA-256 of user_id, in hexadecimal digits"},
    {"name", ADMIN_TEXT},
    {"email", ADMIN_TEXT, .format = "email"},
    {"profile", ADMIN_OBJECT, .members = ADMIN_BODY(profile_fields)},
};
static const struct admin_field callback_fields[] = {
    {"ok", ADMIN_BOOL},
    {"error", ADMIN_ANY},
};

static void write_completion(struct fd_json_writer *w)
{
    static const char schema[] =
        "{\"type\":\"object\",\"description\":\"As OpenAI's; docs/openai.md has what is "
        "understood.\",\"required\":[\"model\",\"messages\"],\"properties\":{"
        "\"model\":{\"type\":\"string\"},\"messages\":{\"type\":\"array\",\"items\":{\"type\":"
        "\"object\"}},\"stream\":{\"type\":\"boolean\"},\"tools\":{\"type\":\"array\",\"items\":{"
        "\"type\":\"object\"}}}}";

    fd_jw_raw(w, schema, sizeof(schema) - 1);
}
static const struct admin_body completion = {.write = write_completion};

const struct admin_route openapi_edge[] = {
    {"POST", "/api/v1/chat", .summary = "Asks a question", .body = ADMIN_BODY(chat_fields),
     .answer = "stream|" ANSWER},
    {"GET", "/api/v1/chat/:job/events", .summary = "The events of an answer, behind Last-Event-ID",
     .query = "{ticket?: text, last_event_id?: text}", .answer = "stream"},
    {"POST", "/api/v1/chat/:job/ticket", .summary = "A ticket for an EventSource",
     .answer = "{ticket: text, expires_at: json}"},
    {"POST", "/api/v1/chat/:job/cancel", .summary = "Stops an answer",
     .answer = "{job_id: text, state: text}"},
    {"POST", "/api/v1/chat/:job/confirm", .summary = "The visitor's word on a tool's action",
     .body = ADMIN_BODY(confirm_fields), .answer = "{job_id: text, call_id: text, decision: text}"},
    {"POST", "/api/v1/tools/callback/:token", .flags = ADMIN_OPEN,
     .summary = "An outcome that comes late", .body = ADMIN_BODY(callback_fields),
     .answer = "object"},
    {"POST", "/api/v1/sessions/start", .summary = "Starts a session",
     .body = ADMIN_BODY(start_fields), .answer = "{session_id: text, *: json}"},
    {"GET", "/api/v1/sessions/:session/history", .summary = "What was said, newest page first",
     .query = "{limit?: int, cursor?: text}",
     .answer = "{messages: [object], next_cursor: text|null, *: json}"},
    {"DELETE", "/api/v1/sessions/:session/end", .summary = "Ends a session", .answer = "object"},
    {"GET", "/api/v1/sessions/:session/events", .summary = "What happens beside the answers",
     .answer = "stream"},
    {"POST", "/api/v1/sessions/:session/rating", .summary = "Rates a conversation",
     .body = ADMIN_BODY(rating_fields), .answer = "{score: int}"},
    {"POST", "/api/v1/sessions/:session/handoff", .summary = "Asks for a person",
     .body = ADMIN_BODY(handoff_fields),
     .answer = "{status: text, open: bool|null, opens_at: time|null, text: text, *: json}"},
    {"POST", "/api/v1/sessions/:session/typing", .summary = "The visitor writes to a person",
     .answer = "{status: text}"},
    {"POST", "/api/v1/sessions/:session/identify", .summary = "Says or proves who the visitor is",
     .body = ADMIN_BODY(identify_fields), .answer = "{verified: bool, *: json}"},
    {"POST", "/api/v1/messages/:id/feedback", .summary = "Rates an answer",
     .body = ADMIN_BODY(feedback_fields), .answer = "{message_id: uuid, rating: up|down|null}"},
    {"GET", "/api/v1/config", .summary = "What a widget needs; v: its own version",
     .query = "{v?: text}", .answer = "object"},
    {"POST", "/v1/chat/completions", .summary = "As OpenAI's chat completions", .body = &completion,
     .answer = "stream|object"},
    {"GET", "/v1/models", .summary = "As OpenAI's list of models",
     .answer = "{object: list, data: [object]}"},
    {"GET", "/v1/models/:model", .summary = "One of them", .answer = "object"},
};
const size_t openapi_edge_count = sizeof(openapi_edge) / sizeof(openapi_edge[0]);
