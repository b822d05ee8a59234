/* Conversations (ADM-4): the list, one with all that was said, archiving, exports. */
#include "admin/elsewhere.h"
#include "admin/page.h"
#include "admin/record.h"
#include "chat/news.h"
#include "core/log.h"
#include "tenant/conversation_export.h"
#include "tenant/teams.h"

#include <string.h>

#define STARTED_LIST  "conversations"
#define RECENT_LIST   "conversations by activity"
#define MESSAGES_LIST "messages"
#define RECORD_MAX    65536

static const char *parameter(const void *from, const char *name)
{
    return admin_query(from, name);
}

static bool read_filter(const struct admin_request *request, struct admin_reply *reply,
                        struct conversation_filter *filter)
{
    struct conversation_fault fault;

    if (conversation_filter_read(request->arena, parameter, request, filter, &fault))
        return true;
    admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, fault.field, fault.detail);
    return false;
}

static void no_such_conversation(const struct admin_request *request, struct admin_reply *reply)
{
    admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, "there is no such conversation");
}

/* -- the list --------------------------------------------------------------------------------- */

static void write_row(struct fd_json_writer *w, const struct elsewhere *where, const PGresult *rows,
                      int row)
{
    fd_jw_object(w);
    conversation_write_members(w, rows, row);
    if (where->name != NULL) {
        fd_jw_key(w, "organization");
        fd_jw_object(w);
        fd_jw_member(w, "id", db_text(rows, row, CONVERSATION_ORGANIZATION));
        fd_jw_member(w, "name", db_text(rows, row, CONVERSATION_ORGANIZATION_NAME));
        fd_jw_end_object(w);
    }
    fd_jw_end_object(w);
}

static void write_list(const struct admin_request *request, struct admin_reply *reply,
                       const struct elsewhere *where, const char *name, const struct page *page,
                       const PGresult *rows)
{
    struct fd_json_writer w;
    int count = PQntuples(rows), shown = count < page->limit ? count : page->limit;
    const char *last[2] = {0};

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "conversations");
    fd_jw_array(&w);
    for (int row = 0; row < shown; row++)
        write_row(&w, where, rows, row);
    fd_jw_end_array(&w);
    if (shown > 0) {
        last[0] = db_text(rows, shown - 1, CONVERSATION_AT);
        last[1] = db_text(rows, shown - 1, CONVERSATION_ID);
    }
    page_next(&w, request, name, page, count, last, 2);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

/* All organisations are in one order, and filtered by what means the same in each. */
static bool fits_all(const struct admin_request *request, struct admin_reply *reply)
{
    const char *order = admin_query(request, "order");
    const char *own = conversation_filter_of_one(parameter, request);

    if (own != NULL)
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, own,
                      "this filter is for one organization at a time: choose one");
    else if (order != NULL && strcmp(order, "recent") != 0)
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, "order",
                      "all organizations are listed by their latest activity: recent");
    else
        return true;
    return false;
}

/* A cursor is of the list that it was given for. */
static const char *list_name(const struct admin_request *request, const struct elsewhere *where,
                             const struct conversation_filter *filter)
{
    const char *name = filter->by_activity ? RECENT_LIST : STARTED_LIST;

    return where->name == NULL ? name : arena_printf(request->arena, "%s:%s", name, where->name);
}

static enum db_status find_page(const struct admin_request *request, const struct elsewhere *where,
                                const struct conversation_filter *filter, const struct page *page,
                                bool *too_much, PGresult **rows)
{
    const struct conversation_place after = {page->after[0], page->after[1]};
    const struct conversation_reader reader = {request->session, request->address,
                                               request->request_id};

    *too_much = false;
    if (where->name == NULL)
        return conversation_list(request->db, request->org, filter, after, page->limit + 1, rows);
    return conversation_list_elsewhere(request->db, where->org, &reader, filter, after, page->limit,
                                       too_much, rows);
}

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct conversation_filter filter;
    struct elsewhere where;
    struct page page;
    PGresult *rows;
    bool too_much;

    if (!elsewhere_read(request, reply, &where) || !read_filter(request, reply, &filter))
        return;
    bool all = where.name != NULL && where.org == NULL;
    if (all && !fits_all(request, reply))
        return;
    filter.by_activity = filter.by_activity || all;
    const char *name = list_name(request, &where, &filter);
    if (!page_read(request, reply, name, 2, &page))
        return;
    enum db_status status = find_page(request, &where, &filter, &page, &too_much, &rows);
    if (status == DB_OK)
        write_list(request, reply, &where, name, &page, rows);
    else if (too_much)
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, "organization",
                      "this takes too long over all organizations: choose one, or fewer days");
    else
        admin_db_problem(reply, request, status);
    PQclear(rows);
}

/* -- one ----------------------------------------------------------------------------------------
 */

static void write_conversation(const struct admin_request *request, struct admin_reply *reply,
                               const struct page *page, const PGresult *head,
                               const PGresult *messages)
{
    struct fd_json_writer w;
    int count = PQntuples(messages), shown = count < page->limit ? count : page->limit;
    const char *last[2] = {0};

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    conversation_write_members(&w, head, 0);
    fd_jw_key(&w, "messages");
    fd_jw_array(&w);
    for (int row = 0; row < shown; row++)
        conversation_write_message(&w, messages, row);
    fd_jw_end_array(&w);
    if (shown > 0) {
        last[0] = db_text(messages, shown - 1, MESSAGE_AT);
        last[1] = db_text(messages, shown - 1, MESSAGE_ID);
    }
    page_next(&w, request, MESSAGES_LIST, page, count, last, 2);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

/* Its messages in pages, oldest first. */
static void show(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    PGresult *head = NULL, *messages = NULL;

    if (!page_read(request, reply, MESSAGES_LIST, 2, &page))
        return;
    struct conversation_place after = {page.after[0], page.after[1]};
    enum db_status status = conversation_find(request->db, request->org, request->ids[0], &head);
    bool found = status == DB_OK && PQntuples(head) == 1;
    if (found)
        status = conversation_messages(request->db, request->org, request->ids[0], after,
                                       page.limit + 1, &messages);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (found)
        write_conversation(request, reply, &page, head, messages);
    else
        no_such_conversation(request, reply);
    PQclear(head);
    PQclear(messages);
}

static bool read_edit(const struct admin_request *request, struct admin_reply *reply,
                      struct conversation_edit *edit)
{
    const struct fd_json *body = request->body;
    bool known = true;

    *edit = (struct conversation_edit){.status = fd_json_string(body, "status"),
                                       .title = fd_json_string(body, "title"),
                                       .assigns = fd_json_get(body, "team_id") != NULL,
                                       .team = fd_json_string(body, "team_id")};
    enum db_status status =
        edit->team == NULL ? DB_OK : team_exists(request->db, request->org, edit->team, &known);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (!known)
        admin_problem(reply, request, FD_PROBLEM_FIELD, "team_id", "there is no such team");
    return status == DB_OK && known;
}

static void tell(const struct admin_request *request, void *arg)
{
    const struct log_context ctx = {.request_id = request->request_id, .org_id = request->org};
    struct news news;
    char error[256];

    news_init(&news, request->arena);
    news_conversation(&news, request->org, arg);
    if (!news_send_sync(&news, request->config->live_redis, error))
        log_warn(&ctx, "conversation.not_told", LOG_STR("error", error));
}

static enum db_status tell_change(const struct admin_request *request)
{
    const char *facts;
    enum db_status status =
        conversation_facts(request->db, request->arena, request->org, request->ids[0], &facts);

    if (status == DB_OK && facts != NULL)
        admin_after(request, tell, arena_strdup(request->arena, facts));
    return status;
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct conversation_edit edit;
    enum conversation_change changed;
    struct fd_json_writer w;
    PGresult *row = NULL;

    if (!read_edit(request, reply, &edit))
        return;
    enum db_status done =
        conversation_update(request->db, request->org, request->ids[0], &edit, &changed, &row);
    if (done == DB_OK && changed == CONVERSATION_CHANGED)
        done = tell_change(request);
    if (done != DB_OK) {
        admin_db_problem(reply, request, done);
    } else if (changed == CONVERSATION_UNKNOWN) {
        no_such_conversation(request, reply);
    } else if (changed == CONVERSATION_WITH_PEOPLE) {
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, "status",
                      "it is with a person, or waits for one: hand it back first");
    } else if (changed == CONVERSATION_OVER) {
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, "status", "it has ended, and stays so");
    } else {
        buf_json(&reply->body, &w);
        fd_jw_object(&w);
        conversation_write_members(&w, row, 0);
        fd_jw_end_object(&w);
        buf_json_end(&reply->body, &w);
    }
    PQclear(row);
}

/* -- exports --------------------------------------------------------------------------------------
 */

/* The filter, as the record has it. */
static void write_filter(const struct admin_request *request, struct fd_json_writer *w)
{
    fd_jw_key(w, "filter");
    fd_jw_object(w);
    for (const char *const *name = conversation_parameters; *name != NULL; name++) {
        const char *value = request->ids[0] == NULL ? admin_query(request, *name) : NULL;
        if (value != NULL)
            fd_jw_member(w, *name, value);
    }
    fd_jw_end_object(w);
}

/* Words of visitors leave: who took which, and how many; `count` negative: it has begun. */
static enum db_status record_export(const struct admin_request *request, int64_t count)
{
    bool one = request->ids[0] != NULL;
    struct fd_json_writer w;
    struct buf after;

    buf_init(&after, RECORD_MAX);
    buf_json(&after, &w);
    fd_jw_object(&w);
    write_filter(request, &w);
    if (count >= 0)
        fd_jw_member_int(&w, "conversations", count);
    else
        fd_jw_member_bool(&w, "begun", true);
    fd_jw_end_object(&w);
    bool fits = buf_json_end(&after, &w);
    enum db_status status =
        record_first(request, "GET", one ? "conversations/:id/export" : "conversations/export",
                     fits ? after.data : NULL);
    buf_free(&after);
    return status;
}

static enum admin_rest_status next_part(const struct admin_request *request,
                                        struct admin_reply *reply)
{
    bool more;

    if (conversation_export_next(reply->rest.state, request->db, &reply->body, &more) != DB_OK)
        return ADMIN_REST_FAILED;
    if (more)
        return ADMIN_REST_MORE;
    return record_export(request, conversation_export_count(reply->rest.state)) == DB_OK
               ? ADMIN_REST_DONE
               : ADMIN_REST_FAILED;
}

static void end_export(void *state)
{
    conversation_export_free(state);
}

static bool read_format(const struct admin_request *request, struct admin_reply *reply,
                        enum conversation_format *format)
{
    const char *name = admin_query(request, "format");

    *format = CONVERSATION_JSON;
    if (name == NULL || conversation_format_named(name, format))
        return true;
    admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, "format",
                  "csv, json or jsonl would be right");
    return false;
}

/* The first part is made here: what goes wrong before it can still be answered as a problem. */
static void send_export(const struct admin_request *request, struct admin_reply *reply,
                        struct conversation_export *x, enum conversation_format format,
                        const char *name)
{
    bool more;

    reply->rest.state = x;
    reply->rest.end = end_export;
    enum db_status status = conversation_export_next(x, request->db, &reply->body, &more);
    if (status == DB_OK)
        status = record_export(request, more ? -1 : conversation_export_count(x));
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    if (more)
        reply->rest.next = next_part;
    reply->content_type = conversation_content_type(format);
    reply->filename = arena_printf(request->arena, "%s.%s", name, conversation_extension(format));
}

static void export_many(const struct admin_request *request, struct admin_reply *reply)
{
    struct conversation_filter filter;
    enum conversation_format format;

    if (!elsewhere_refuse(request, reply) && read_filter(request, reply, &filter) &&
        read_format(request, reply, &format))
        send_export(request, reply, conversation_export_many(request->org, &filter, format), format,
                    "conversations");
}

static void export_one(const struct admin_request *request, struct admin_reply *reply)
{
    enum conversation_format format;
    PGresult *row;

    if (!read_format(request, reply, &format))
        return;
    enum db_status status = conversation_find(request->db, request->org, request->ids[0], &row);
    if (status == DB_OK && PQntuples(row) == 1) {
        send_export(request, reply, conversation_export_one(request->org, row, format), format,
                    "conversation");
        return;
    }
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else
        no_such_conversation(request, reply);
    PQclear(row);
}

/* -- the routes --------------------------------------------------------------------------- */

#define CONVERSATION                                                                               \
    "id: uuid, title: text, status: text, holder: text|null, name: text|null, version: int,"       \
    " waiting_since: time|null, team_id: uuid|null, channel: text, language: text|null,"           \
    " user_identifier: text|null, verified_name: text|null, verified_email: text|null,"            \
    " contact: object, page_url: text|null, model_id: text|null, model: text|null, "               \
    "messages_total: int|null,"                                                                    \
    " tokens: int|null, cost_usd: number|null, started_at: time, updated_at: time,"                \
    " ended_at: time|null, first_token_ms: int|null, response_ms: int|null,"                       \
    " tool_calls: int|null, tool_failures: int|null,"                                              \
    " handoff: null|{at: time, reason: text|null}, rating: int|null, rating_comment: text|null,"   \
    " feedback: {up: int, down: int}, resolved: bool|null, sentiment: text|null"
#define MESSAGE                                                                                    \
    "{id: uuid, role: text, content: text, author: text|null, rating: text|null,"                  \
    " rating_comment: text|null,"                                                                  \
    " status: text|null, created_at: time, finished_at: time|null, model_id: text|null,"           \
    " route: json, citations: json, tools: json, tokens_input: int|null,"                          \
    " tokens_output: int|null, cost_usd: number|null}"

static const struct admin_field fields[] = {
    {"status", ADMIN_TEXT, .one_of = "active|archived"},
    {"title", ADMIN_TEXT, .max = CONVERSATION_TITLE_MAX},
    {"team_id", ADMIN_TEXT | ADMIN_NULL, .format = "uuid", .note = "null: nobody's in particular"},
};
/* What goes on in it; titles and archiving are the operator's. */
static const char *const computed[] = {"holder",         "name",           "version",
                                       "waiting_since",  "messages",       "next_cursor",
                                       "messages_total", "tokens",         "cost_usd",
                                       "updated_at",     "feedback",       "first_token_ms",
                                       "response_ms",    "tool_calls",     "tool_failures",
                                       "rating",         "contact",        "model_id",
                                       "model",          "verified_email", "page_url",
                                       "language",       "resolved",       "sentiment",
                                       "rating_comment", "verified_name",  NULL};

static const struct admin_route routes[] = {
    {"GET", "conversations", ADMIN_STAFF, 0, list, .summary = "Conversations that a filter finds",
     .query = "{" PAGE_QUERY ", " ELSEWHERE_QUERY "}", .parameters = conversation_parameters,
     .answer = "{conversations: [{" CONVERSATION
               ", organization?: {id: uuid, name: text}}], " PAGE_ANSWER "}"},
    {"GET", "conversations/export", ADMIN_STAFF, 0, export_many,
     .summary = "All that a filter finds", .query = "{format?: csv|json|jsonl}",
     .parameters = conversation_parameters, .answer = "file"},
    {"GET", "conversations/:id", ADMIN_STAFF, 0, show,
     .summary = "A conversation and what was said", .query = "{" PAGE_QUERY "}",
     .answer = "{" CONVERSATION ", messages: [" MESSAGE "], " PAGE_ANSWER "}",
     .computed = computed},
    {"PATCH", "conversations/:id", ADMIN_STAFF, ADMIN_PRIVATE, change,
     .summary = "Names, archives or assigns a conversation", .body = ADMIN_BODY(fields),
     .answer = "{" CONVERSATION "}"},
    {"GET", "conversations/:id/export", ADMIN_STAFF, 0, export_one, .summary = "One, as a file",
     .query = "{format?: csv|json|jsonl}", .answer = "file"},
};

const struct admin_resource admin_conversations = {routes, sizeof(routes) / sizeof(routes[0])};
