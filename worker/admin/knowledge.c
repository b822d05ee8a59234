/* Articles of an organisation's knowledge (ENG-13): the operations of `frontdesk knowledge`
 * for a program. */
#include "admin/field.h"
#include "admin/page.h"
#include "chat/route_json.h"
#include "context/retrieve.h"
#include "core/language.h"
#include "tenant/knowledge_json.h"

#include <string.h>

#define LIST         "knowledge"
#define FORMAT_MAX   16
#define LANGUAGE_MAX 35
#define QUESTION_MAX 4096

/* -- import ----------------------------------------------------------------------------- */

/* {body, format?, title?, slug?, language?, source?} */
static bool read_json(const struct admin_request *request, struct admin_reply *reply,
                      struct knowledge_upload *upload)
{
    static const char *const known[] = {"body",     "format", "title", "slug",
                                        "language", "source", NULL};
    struct admin_request json = *request;
    struct fd_json_fault fault;
    const char *body;

    json.body = fd_json_parse(request->raw, request->raw_len, (struct fd_json_limits){0},
                              arena_allocator(request->arena), &fault);
    if (json.body == NULL || json.body->type != FD_JSON_OBJECT) {
        admin_problem(reply, request, FD_PROBLEM_MALFORMED, NULL,
                      json.body == NULL ? fd_json_error_text(fault.error) : "it is no object");
        return false;
    }
    if (!field_known(&json, reply, known) ||
        !field_text(&json, reply, "body", true, IMPORT_TEXT_MAX, &body) ||
        !field_text(&json, reply, "format", false, FORMAT_MAX, &upload->file.format) ||
        !field_text(&json, reply, "title", false, KNOWLEDGE_TITLE_MAX, &upload->title) ||
        !field_text(&json, reply, "slug", false, ARTICLE_SLUG_MAX, &upload->slug) ||
        !field_text(&json, reply, "language", false, LANGUAGE_MAX, &upload->language) ||
        !field_text(&json, reply, "source", false, KNOWLEDGE_SOURCE_MAX, &upload->source))
        return false;
    upload->file.bytes = body;
    upload->file.len = fd_json_get(json.body, "body")->text_len;
    upload->file.name = upload->source;
    return true;
}

/* The file as it is; what else is said of it stands in the query. */
static void read_raw(const struct admin_request *request, struct knowledge_upload *upload)
{
    *upload = (struct knowledge_upload){.title = admin_query(request, "title"),
                                        .slug = admin_query(request, "slug"),
                                        .language = admin_query(request, "language"),
                                        .source = admin_query(request, "source")};
    upload->file = (struct import_file){.bytes = request->raw,
                                        .len = request->raw_len,
                                        .format = admin_query(request, "format"),
                                        .content_type = request->content_type,
                                        .name = upload->source};
}

static bool check_format(const struct admin_request *request, struct admin_reply *reply,
                         const struct knowledge_upload *upload)
{
    if (upload->file.format == NULL || import_format_valid(upload->file.format))
        return true;
    admin_problem(reply, request, FD_PROBLEM_FIELD, "format",
                  "text, markdown, html, pdf or csv would be right");
    return false;
}

static void reply_refused(const struct admin_request *request, struct admin_reply *reply,
                          const struct knowledge_report *report)
{
    static const enum fd_problem_type problems[] = {
        [KNOWLEDGE_BAD_FIELD] = FD_PROBLEM_FIELD,
        [KNOWLEDGE_CONFLICT] = FD_PROBLEM_CONFLICT,
        [KNOWLEDGE_TOO_LARGE] = FD_PROBLEM_TOO_LARGE,
        [KNOWLEDGE_UNKNOWN_TYPE] = FD_PROBLEM_MEDIA_TYPE,
        [KNOWLEDGE_UNAVAILABLE] = FD_PROBLEM_UNAVAILABLE,
    };

    admin_problem(reply, request, problems[report->verdict], report->field, report->error);
}

static void import(const struct admin_request *request, struct admin_reply *reply)
{
    struct knowledge_upload upload = {0};
    struct knowledge_report report;
    struct fd_json_writer w;
    bool json = strcmp(request->content_type, "application/json") == 0;

    if (!json)
        read_raw(request, &upload);
    if ((json && !read_json(request, reply, &upload)) || !check_format(request, reply, &upload))
        return;
    enum db_status status =
        knowledge_import(request->db, request->arena, request->org, &upload, &report);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    if (report.verdict != KNOWLEDGE_STORED) {
        reply_refused(request, reply, &report);
        return;
    }
    if (report.change.changed)
        admin_settings_changed(request);
    reply->status = report.change.created ? 201 : 200;
    buf_json(&reply->body, &w);
    knowledge_write_report(&w, &report);
    buf_json_end(&reply->body, &w);
}

/* -- what there is ------------------------------------------------------------------------ */

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    struct fd_json_writer w;
    PGresult *articles;

    if (!page_read(request, reply, LIST, 1, &page))
        return;
    enum db_status status =
        knowledge_list(request->db, request->org, admin_query(request, "language"), page.after[0],
                       page.limit + 1, &articles);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    int rows = PQntuples(articles), shown = rows < page.limit ? rows : page.limit;
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_key(&w, "articles");
    fd_jw_array(&w);
    for (int row = 0; row < shown; row++)
        knowledge_write_row(&w, articles, row);
    fd_jw_end_array(&w);
    const char *last = shown > 0 ? db_text(articles, shown - 1, KNOWLEDGE_SLUG) : NULL;
    page_next(&w, request, LIST, &page, rows, &last, 1);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    PQclear(articles);
}

static void no_such_article(const struct admin_request *request, struct admin_reply *reply)
{
    admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, "there is no such article");
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    struct fd_json_writer w;
    PGresult *article = NULL, *sections = NULL;

    enum db_status status = knowledge_find(request->db, request->org, request->ids[0], &article);
    if (status == DB_OK)
        status = knowledge_sections(request->db, request->org, request->ids[0], &sections);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (PQntuples(article) == 0) {
        no_such_article(request, reply);
    } else {
        buf_json(&reply->body, &w);
        knowledge_write_article(&w, article, sections);
        buf_json_end(&reply->body, &w);
    }
    PQclear(article);
    PQclear(sections);
}

static void forget(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;

    enum db_status status = knowledge_delete(request->db, request->org, request->ids[0], &found);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
    } else if (!found) {
        no_such_article(request, reply);
    } else {
        admin_settings_changed(request);
        reply->status = 204;
    }
}

/* -- search --------------------------------------------------------------------------------- */

static void write_snippets(struct fd_json_writer *w, const struct snippet *snippets, size_t count)
{
    fd_jw_object(w);
    fd_jw_key(w, "results");
    fd_jw_array(w);
    for (size_t i = 0; i < count; i++) {
        fd_jw_object(w);
        fd_jw_member(w, "id", snippets[i].id);
        fd_jw_member(w, "label", snippets[i].label);
        fd_jw_member(w, "body", snippets[i].body);
        fd_jw_key(w, "score");
        fd_jw_double(w, snippets[i].score);
        fd_jw_key(w, "found");
        route_write_found(w, snippets[i].reasons);
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
    fd_jw_end_object(w);
}

/* What a question would be answered from, best first. */
static void search(const struct admin_request *request, struct admin_reply *reply)
{
    const char *question = admin_query(request, "q"), *language = admin_query(request, "language");
    struct fd_json_writer w;
    struct retrieved found;

    if (question == NULL || *question == '\0' || strlen(question) > QUESTION_MAX) {
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, "q",
                      "a question of at most 4096 bytes would be right");
        return;
    }
    if (language == NULL)
        language = language_of(question, strlen(question), "en");
    const struct retrieve_ask ask = {
        .org = request->org, .question = question, .language = language};
    enum db_status status = retrieve_snippets(request->db, request->arena, &ask, &found);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    buf_json(&reply->body, &w);
    write_snippets(&w, found.snippets, found.count);
    buf_json_end(&reply->body, &w);
}

static const struct admin_route routes[] = {
    {"GET", "knowledge/articles", ADMIN_STAFF, 0, list},
    {"POST", "knowledge/articles", ADMIN_ADMIN, ADMIN_RAW, import},
    {"GET", "knowledge/articles/:slug", ADMIN_STAFF, 0, show},
    {"DELETE", "knowledge/articles/:slug", ADMIN_ADMIN, 0, forget},
    {"GET", "knowledge/search", ADMIN_STAFF, 0, search},
};

const struct admin_resource admin_knowledge = {routes, sizeof(routes) / sizeof(routes[0])};
