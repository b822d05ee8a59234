/* What operators answer often (ADM-4): a text by its shortcut, with {visitor}, {operator} and
 * {organization} for the page to fill in. */
#include "admin/list.h"
#include "admin/resources.h"
#include "admin/schema.h"
#include "tenant/canned_replies.h"

#include <string.h>

static void write_one(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member(w, "id", db_text(rows, row, CANNED_ID));
    fd_jw_member(w, "shortcut", db_text(rows, row, CANNED_SHORTCUT));
    fd_jw_member(w, "language", db_text(rows, row, CANNED_LANGUAGE));
    fd_jw_member(w, "text", db_text(rows, row, CANNED_TEXT));
    fd_jw_member(w, "updated_at", db_text(rows, row, CANNED_UPDATED));
}

static const struct list replies = {"canned_replies", write_one, 2, {CANNED_SHORTCUT, CANNED_ID}};

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    const char *language = admin_query(request, "language");
    struct page page;
    PGresult *rows;

    if (!list_page(request, reply, &replies, &page))
        return;
    enum db_status status = canned_replies_list(request->db, request->org, language, page.after[0],
                                                page.after[1], page.limit + 1, &rows);
    list_reply(request, reply, &replies, &page, status, rows);
}

static void answer(const struct admin_request *request, struct admin_reply *reply,
                   enum db_status status, PGresult *row)
{
    if (status == DB_CONFLICT)
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, "shortcut",
                      "there is one with this shortcut and language");
    else
        list_reply_one(request, reply, write_one, status, row, NULL);
}

static bool is_shortcut(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t len = strlen(text);

    return len > 0 && len <= CANNED_REPLY_SHORTCUT && strchr(letters, text[0]) != NULL &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

/* The letters of a tag; what it means is the page's to know. */
static bool is_language(const char *text)
{
    size_t len = strlen(text);

    return len >= 2 && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789-") == len;
}

static bool read_one(const struct admin_request *request, struct admin_reply *reply,
                     struct canned_reply *one)
{
    const struct fd_json *body = request->body;
    const char *fault = NULL, *field = NULL;

    *one = (struct canned_reply){.shortcut = fd_json_string(body, "shortcut"),
                                 .text = fd_json_string(body, "text"),
                                 .speaks = fd_json_get(body, "language") != NULL,
                                 .language = fd_json_string(body, "language")};
    if (one->shortcut != NULL && !is_shortcut(one->shortcut)) {
        field = "shortcut";
        fault = "1 to 32 of a-z, 0-9, - and _, the first a letter or a digit, would be right";
    } else if (one->text != NULL && one->text[strspn(one->text, " \t\n")] == '\0') {
        field = "text";
        fault = "a text with something in it would be right";
    } else if (one->language != NULL && !is_language(one->language)) {
        field = "language";
        fault = "a language such as en would be right";
    }
    if (fault != NULL)
        admin_problem(reply, request, FD_PROBLEM_FIELD, field, fault);
    return fault == NULL;
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *row;
    enum db_status status = canned_reply_find(request->db, request->org, request->ids[0], &row);

    answer(request, reply, status, row);
}

static void create(const struct admin_request *request, struct admin_reply *reply)
{
    struct canned_reply one;
    PGresult *row;

    if (!read_one(request, reply, &one))
        return;
    enum db_status status = canned_reply_create(request->db, request->org, &one, &row);
    bool full = status == DB_OK && PQntuples(row) == 0;
    answer(request, reply, status, row);
    if (full)
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, NULL,
                      "there are as many as there may be: delete one first");
    else if (status == DB_OK)
        reply->status = 201;
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct canned_reply one;
    PGresult *row;

    if (!read_one(request, reply, &one))
        return;
    enum db_status status =
        canned_reply_update(request->db, request->org, request->ids[0], &one, &row);
    answer(request, reply, status, row);
}

static void drop(const struct admin_request *request, struct admin_reply *reply)
{
    bool found = false;
    enum db_status status = canned_reply_delete(request->db, request->org, request->ids[0], &found);

    if (admin_found(reply, request, status, found, NULL))
        reply->status = 204;
}

#define REPLY "{id: uuid, shortcut: text, language: text|null, text: text, updated_at: time}"

static const struct admin_field new_fields[] = {
    {"shortcut", ADMIN_TEXT, .required = true, .max = CANNED_REPLY_SHORTCUT},
    {"language", ADMIN_TEXT | ADMIN_NULL, .max = CANNED_REPLY_LANGUAGE,
     .note = "null: of every language that has none of its own"},
    {"text", ADMIN_TEXT, .required = true, .max = CANNED_REPLY_TEXT,
     .note = "{visitor}, {operator} and {organization} are filled in by the page"},
};
static const struct admin_field fields[] = {
    {"shortcut", ADMIN_TEXT, .max = CANNED_REPLY_SHORTCUT},
    {"language", ADMIN_TEXT | ADMIN_NULL, .max = CANNED_REPLY_LANGUAGE},
    {"text", ADMIN_TEXT, .max = CANNED_REPLY_TEXT},
};
static const char *const computed[] = {"updated_at", NULL};

static const struct admin_route routes[] = {
    {"GET", "canned-replies", ADMIN_STAFF, 0, list, .summary = "What operators answer often",
     .query = "{language?: text, " PAGE_QUERY "}",
     .answer = "{canned_replies: [" REPLY "], " PAGE_ANSWER "}"},
    {"POST", "canned-replies", ADMIN_STAFF, 0, create, .summary = "Keeps an answer",
     .body = ADMIN_BODY(new_fields), .status = 201, .answer = REPLY},
    {"GET", "canned-replies/:id", ADMIN_STAFF, 0, show, .summary = "One of them", .answer = REPLY,
     .computed = computed},
    {"PATCH", "canned-replies/:id", ADMIN_STAFF, 0, change, .summary = "Changes it",
     .body = ADMIN_BODY(fields), .answer = REPLY},
    {"DELETE", "canned-replies/:id", ADMIN_STAFF, 0, drop, .summary = "Forgets it"},
};

const struct admin_resource admin_canned_replies = {routes, sizeof(routes) / sizeof(routes[0])};
