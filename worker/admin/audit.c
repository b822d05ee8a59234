/* GET audit: who changed what (ADM-1), newest first. */
#include "admin/page.h"
#include "admin/resources.h"
#include "tenant/audit.h"

#include <string.h>

#define LIST "audit"

static void write_json(struct fd_json_writer *w, const char *name, const char *json)
{
    fd_jw_key(w, name);
    if (json != NULL)
        fd_jw_raw(w, json, strlen(json));
    else
        fd_jw_null(w);
}

static void write_row(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_object(w);
    fd_jw_member(w, "id", db_text(rows, row, AUDIT_ID));
    fd_jw_member(w, "at", db_text(rows, row, AUDIT_AT));
    fd_jw_member(w, "actor", db_text(rows, row, AUDIT_ACTOR));
    fd_jw_member(w, "actor_name", db_text(rows, row, AUDIT_NAME));
    fd_jw_member(w, "action", db_text(rows, row, AUDIT_ACTION));
    fd_jw_member(w, "target", db_text(rows, row, AUDIT_TARGET));
    fd_jw_member(w, "address", db_text(rows, row, AUDIT_ADDRESS));
    fd_jw_member(w, "request_id", db_text(rows, row, AUDIT_REQUEST_ID));
    write_json(w, "before", db_text(rows, row, AUDIT_BEFORE));
    write_json(w, "after", db_text(rows, row, AUDIT_AFTER));
    fd_jw_end_object(w);
}

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    struct fd_json_writer w;
    PGresult *entries;

    if (!page_read(request, reply, LIST, 1, &page))
        return;
    const struct audit_filter filter = {.actor = admin_query(request, "actor"),
                                        .action = admin_query(request, "action"),
                                        .part = admin_query(request, "q")};
    enum db_status status =
        audit_list(request->db, request->org, &filter, page.after[0], page.limit + 1, &entries);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    int rows = PQntuples(entries), shown = rows < page.limit ? rows : page.limit;
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "entries");
    fd_jw_array(&w);
    for (int row = 0; row < shown; row++)
        write_row(&w, entries, row);
    fd_jw_end_array(&w);
    const char *last = shown > 0 ? db_text(entries, shown - 1, AUDIT_ID) : NULL;
    page_next(&w, request, LIST, &page, rows, &last, 1);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    PQclear(entries);
}

static const struct admin_route routes[] = {
    {"GET", "audit", ADMIN_ADMIN, ADMIN_ACCESS, list, .summary = "Who changed what, newest first",
     .query = "{" PAGE_QUERY ", actor?: text, action?: text, q?: text}",
     .answer = "{entries: [{id: text, at: time, actor: text, actor_name: text|null, action: text,"
               " target: text, address: text|null, request_id: text|null, before: json,"
               " after: json}], " PAGE_ANSWER "}"},
};

const struct admin_resource admin_audit = {routes, sizeof(routes) / sizeof(routes[0])};
