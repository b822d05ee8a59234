/* Visitors (ENG-17): what is kept of one, to hand over or to delete. Who it is stands in
 * the body: a name in a path would be in logs. */
#include "admin/list.h"
#include "protocol/ids.h"
#include "tenant/conversation_export.h"
#include "tenant/visitor.h"

#include <string.h>

static bool read_visitor(const struct admin_request *request, struct admin_reply *reply,
                         struct visitor *visitor)
{
    static const char *const fields[VISITOR_NAMES] = {"session", "user_identifier", "email",
                                                      "conversation_id"};
    int named = 0;

    for (enum visitor_named_by i = 0; i < VISITOR_NAMES; i++) {
        const char *name = fd_json_string(request->body, fields[i]);
        if (name != NULL) {
            *visitor = (struct visitor){i, name};
            named++;
        }
    }
    if (named == 1)
        return true;
    admin_problem(reply, request, FD_PROBLEM_FIELD, NULL,
                  "one of session, user_identifier, email and conversation_id would be right");
    return false;
}

/* -- export ------------------------------------------------------------------------------------ */

static enum admin_rest_status next_part(const struct admin_request *request,
                                        struct admin_reply *reply)
{
    bool more;

    if (conversation_export_next(reply->rest.state, request->db, &reply->body, &more) != DB_OK)
        return ADMIN_REST_FAILED;
    if (!more)
        buf_puts(&reply->body, "}\n");
    return more ? ADMIN_REST_MORE : ADMIN_REST_DONE;
}

static void end_export(void *state)
{
    conversation_export_free(state);
}

/* Where an export goes on: "next" of the one before it. */
static bool read_after(const struct admin_request *request, struct admin_reply *reply,
                       const char **after)
{
    *after = fd_json_string(request->body, "after");
    if (*after == NULL || fd_uuid_valid(*after, strlen(*after)))
        return true;
    admin_problem(reply, request, FD_PROBLEM_FIELD, "after",
                  "what an export gave as next would be right");
    return false;
}

static void export(const struct admin_request *request, struct admin_reply *reply)
{
    struct conversation_filter filter;
    struct visitor visitor;
    const char *after, *next;
    size_t count;

    if (!read_visitor(request, reply, &visitor) || !read_after(request, reply, &after))
        return;
    enum db_status status = visitor_find(request->db, request->arena, request->org, &visitor, after,
                                         &filter, &count, &next);
    if (status == DB_OK)
        status = visitor_note_export(request->db, request->org, &visitor, request->actor, count);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    reply->rest = (struct admin_rest){
        next_part, end_export, conversation_export_many(request->org, &filter, CONVERSATION_JSON)};
    buf_printf(&reply->body, "{\"named_by\":\"%s\",", visitor_named_by(visitor.named_by));
    if (next != NULL)
        buf_printf(&reply->body, "\"next\":\"%s\",", next);
    buf_puts(&reply->body, "\"conversations\":");
    reply->filename = "visitor.json";
}

/* -- deletion ------------------------------------------------------------------------------------
 */

static void forget(const struct admin_request *request, struct admin_reply *reply)
{
    struct visitor_report report;
    struct visitor visitor;
    struct fd_json_writer w;

    if (!read_visitor(request, reply, &visitor))
        return;
    enum db_status status = visitor_delete(request->db, request->config->live_redis, request->org,
                                           &visitor, request->actor, &report);
    if (status == DB_CONFLICT) {
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, NULL, db_error(request->db));
        return;
    }
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    buf_json(&reply->body, &w);
    visitor_write_report(&w, &report);
    buf_json_end(&reply->body, &w);
}

/* -- the record
 * ------------------------------------------------------------------------------------ */

static void write_request(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member_int(w, "id", db_int(rows, row, 0, 0));
    fd_jw_member(w, "action", db_text(rows, row, 1));
    fd_jw_member(w, "named_by", db_text(rows, row, 2));
    fd_jw_member(w, "name_sha256", db_text(rows, row, 3));
    fd_jw_member(w, "actor", db_text(rows, row, 4));
    fd_jw_member_raw(w, "report", db_text(rows, row, 5));
    fd_jw_member(w, "at", db_text(rows, row, 6));
}

static const struct list requests = {"requests", write_request, 1, {0}};

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    PGresult *rows;

    if (!list_page(request, reply, &requests, &page))
        return;
    enum db_status status =
        visitor_requests(request->db, request->org, page.after[0], page.limit + 1, &rows);
    list_reply(request, reply, &requests, &page, status, rows);
}

#define NAMED_BY                                                                                   \
    {"session", ADMIN_TEXT, .max = VISITOR_NAME_MAX},                                              \
        {"user_identifier", ADMIN_TEXT, .max = VISITOR_NAME_MAX},                                  \
        {"email", ADMIN_TEXT, .max = VISITOR_NAME_MAX},                                            \
        {"conversation_id", ADMIN_TEXT, .max = VISITOR_NAME_MAX},

static const struct admin_field export_fields[] = {
    NAMED_BY{"after", ADMIN_TEXT, .max = VISITOR_NAME_MAX, .note = "the next of the export before"},
};
static const struct admin_field forget_fields[] = {NAMED_BY};

static const struct admin_route routes[] = {
    {"POST", "visitors/export", ADMIN_ADMIN, ADMIN_PRIVATE, export,
     .summary = "All that is kept of a visitor", .body = ADMIN_BODY(export_fields),
     .answer = "{named_by: text, next?: uuid, conversations: [object]}"},
    {"POST", "visitors/delete", ADMIN_ADMIN, ADMIN_STEPS, forget,
     .summary = "Deletes all that is kept of a visitor", .body = ADMIN_BODY(forget_fields),
     .answer = "{conversations: int, messages: int, tool_executions: int, jobs: int,"
               " ledger_rows_anonymised: int, cache_cleared: bool, more: bool}"},
    {"GET", "visitors/requests", ADMIN_ADMIN, 0, list, .summary = "Exports and deletions so far",
     .query = "{" PAGE_QUERY "}",
     .answer = "{requests: [{id: int, action: export|delete, named_by: text, name_sha256: text,"
               " actor: text, report: object, at: time}], " PAGE_ANSWER "}"},
};

const struct admin_resource admin_visitors = {routes, sizeof(routes) / sizeof(routes[0])};
