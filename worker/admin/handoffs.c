/* The queue of operators (ENG-14): who waits for a person, since when and why. */
#include "admin/list.h"
#include "admin/resources.h"
#include "tenant/handoffs.h"

#include <string.h>

static bool read_team(const struct admin_request *request, struct admin_reply *reply,
                      const char **team)
{
    *team = admin_query(request, "team");
    if (*team == NULL || strcmp(*team, "none") == 0 || fd_uuid_valid(*team, strlen(*team)))
        return true;
    admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, "team",
                  "the id of a team, or none, would be right");
    return false;
}

static const struct list handoffs = {"handoffs", handoff_write, 2, {HANDOFF_PLACE, HANDOFF_ID}};

static void write_queue(const struct admin_request *request, struct admin_reply *reply,
                        const struct page *page, const PGresult *rows, int64_t waiting)
{
    struct fd_json_writer w;

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    list_write(&w, request, &handoffs, page, rows);
    fd_jw_member_int(&w, "waiting", waiting);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
}

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    const char *team;
    struct page page;
    PGresult *rows = NULL;
    int64_t waiting = 0;

    if (!read_team(request, reply, &team) || !list_page(request, reply, &handoffs, &page))
        return;
    enum db_status status = handoffs_list(request->db, request->org, team, page.after[0],
                                          page.after[1], page.limit + 1, &rows);
    if (status == DB_OK)
        status = handoffs_waiting(request->db, request->org, team, &waiting);
    if (status == DB_OK)
        write_queue(request, reply, &page, rows, waiting);
    else
        admin_db_problem(reply, request, status);
    PQclear(rows);
}

static const struct admin_route routes[] = {
    {.method = "GET",
     .pattern = "handoffs",
     .least = ADMIN_STAFF,
     .handle = list,
     .summary = "Conversations that wait for a person, then those that are with one",
     .query = "{team?: text, " PAGE_QUERY "}",
     .answer = "{handoffs: [{id: uuid, status: waiting_human|human, holder: text|null,"
               " name: text|null, version: int, channel: text, language: text|null, title: text,"
               " contact: object, user_identifier: text|null, verified_name: text|null,"
               " verified_email: text|null, page_url: text|null, team_id: uuid|null, reason: "
               "text|null, cause: text|null,"
               " waiting_since: time|null, waiting_s: int|null, score: int|null,"
               " message_count: int, last_message: null|{role: text, text: text,"
               " created_at: time}, updated_at: time}], waiting: int, " PAGE_ANSWER "}"},
};

const struct admin_resource admin_handoffs = {routes, sizeof(routes) / sizeof(routes[0])};
