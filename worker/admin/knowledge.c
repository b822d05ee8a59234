/* Articles of an organisation's knowledge (ENG-13): the operations of `frontdesk knowledge`
 * for a program. */
#include "admin/list.h"
#include "chat/route_json.h"
#include "context/retrieve.h"
#include "core/language.h"
#include "tenant/knowledge_json.h"

#include <string.h>

#define LANGUAGE_MAX 35
#define QUESTION_MAX 4096

/* -- import ----------------------------------------------------------------------------- */

#define BODY_FIELDS                                                                                \
    {"body", ADMIN_TEXT, .required = true, .max = IMPORT_TEXT_MAX},                                \
        {"format", ADMIN_TEXT, .one_of = "text|markdown|html|pdf|csv"},                            \
        {"title", ADMIN_TEXT, .max = KNOWLEDGE_TITLE_MAX},                                         \
        {"language", ADMIN_TEXT, .max = LANGUAGE_MAX},                                             \
        {"source", ADMIN_TEXT, .max = KNOWLEDGE_SOURCE_MAX},

static const struct admin_field import_fields[] = {
    BODY_FIELDS{"slug", ADMIN_TEXT, .max = ARTICLE_SLUG_MAX,
                .note = "the same again updates the article"},
};
static const struct admin_body import_body = {
    .fields = import_fields,
    .count = sizeof(import_fields) / sizeof(import_fields[0]),
    .media = "text/markdown",
};

/* Of one whose slug stands in the path. */
static const struct admin_field change_fields[] = {BODY_FIELDS};
static const struct admin_body change_body = {
    .fields = change_fields,
    .count = sizeof(change_fields) / sizeof(change_fields[0]),
    .media = "text/markdown",
};

static bool read_json(const struct admin_request *request, struct admin_reply *reply,
                      const struct admin_body *body, struct knowledge_upload *upload)
{
    struct fd_json_fault fault;
    struct schema_fault wrong;

    const struct fd_json *json =
        fd_json_parse(request->raw, request->raw_len, (struct fd_json_limits){0},
                      arena_allocator(request->arena), &fault);
    if (json == NULL || json->type != FD_JSON_OBJECT) {
        admin_problem(reply, request, FD_PROBLEM_MALFORMED, NULL,
                      json == NULL ? fd_json_error_text(fault.error) : "it is no object");
        return false;
    }
    if (!schema_check(body, json, &wrong)) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, wrong.field, wrong.detail);
        return false;
    }
    *upload = (struct knowledge_upload){.title = fd_json_string(json, "title"),
                                        .slug = fd_json_string(json, "slug"),
                                        .language = fd_json_string(json, "language"),
                                        .source = fd_json_string(json, "source")};
    upload->file = (struct import_file){.bytes = fd_json_string(json, "body"),
                                        .len = fd_json_get(json, "body")->text_len,
                                        .format = fd_json_string(json, "format"),
                                        .name = upload->source};
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

/* slug NULL: as the body or the query says. */
static void take(const struct admin_request *request, struct admin_reply *reply,
                 const struct admin_body *body, const char *slug)
{
    struct knowledge_upload upload = {0};
    struct knowledge_report report;
    struct fd_json_writer w;
    bool json = strcmp(request->content_type, "application/json") == 0;

    if (!json)
        read_raw(request, &upload);
    if ((json && !read_json(request, reply, body, &upload)) ||
        !check_format(request, reply, &upload))
        return;
    if (slug != NULL)
        upload.slug = slug;
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

static void import(const struct admin_request *request, struct admin_reply *reply)
{
    take(request, reply, &import_body, NULL);
}

/* -- what there is ------------------------------------------------------------------------ */

static const struct list articles = {"articles", knowledge_write_row, 1, {KNOWLEDGE_SLUG}};

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    PGresult *rows;

    if (!list_page(request, reply, &articles, &page))
        return;
    enum db_status status =
        knowledge_list(request->db, request->org, admin_query(request, "language"), page.after[0],
                       page.limit + 1, &rows);
    list_reply(request, reply, &articles, &page, status, rows);
}

static bool article_found(const struct admin_request *request, struct admin_reply *reply,
                          enum db_status status, bool found)
{
    return admin_found(reply, request, status, found, "there is no such article");
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    struct fd_json_writer w;
    PGresult *article = NULL, *sections = NULL;

    enum db_status status = knowledge_find(request->db, request->org, request->ids[0], &article);
    if (status == DB_OK)
        status = knowledge_sections(request->db, request->org, request->ids[0], &sections);
    if (article_found(request, reply, status, PQntuples(article) > 0)) {
        buf_json(&reply->body, &w);
        knowledge_write_article(&w, article, sections);
        buf_json_end(&reply->body, &w);
    }
    PQclear(article);
    PQclear(sections);
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *article;

    enum db_status status = knowledge_find(request->db, request->org, request->ids[0], &article);
    bool found = status == DB_OK && PQntuples(article) > 0;
    PQclear(article);
    if (article_found(request, reply, status, found))
        take(request, reply, &change_body, request->ids[0]);
}

static void forget(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;

    enum db_status status = knowledge_delete(request->db, request->org, request->ids[0], &found);
    if (!article_found(request, reply, status, found))
        return;
    admin_settings_changed(request);
    reply->status = 204;
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

#define ARTICLE                                                                                    \
    "slug: text, title: text, language: text, format: text, source: text|null, bytes: int,"        \
    " created_at: time, updated_at: time"

#define TAKEN                                                                                      \
    "{slug: text, title: text, language: text, format: text, status: text, sections: int,"         \
    " added: int, updated: int, removed: int}"

static const struct admin_route routes[] = {
    {"GET", "knowledge/articles", ADMIN_STAFF, 0, list, .summary = "The articles",
     .query = "{" PAGE_QUERY ", language?: text}",
     .answer = "{articles: [{" ARTICLE ", sections: int}], " PAGE_ANSWER "}"},
    {"POST", "knowledge/articles", ADMIN_ADMIN, ADMIN_RAW, import,
     .summary = "Imports an article: JSON, or a file as it is with the rest in the query",
     .body = &import_body, .status = 201,
     .query = "{slug?: text, title?: text, language?: text, source?: text,"
              " format?: text|markdown|html|pdf|csv}",
     .answer = TAKEN},
    {"GET", "knowledge/articles/:slug", ADMIN_STAFF, 0, show, .summary = "An article",
     .answer = "{" ARTICLE ", body: text,"
               " sections: [{id: text, label: text, body: text, updated_at: time}]}"},
    {"PUT", "knowledge/articles/:slug", ADMIN_ADMIN, ADMIN_RAW, change,
     .summary = "Changes an article: JSON, or a file as it is with the rest in the query",
     .body = &change_body,
     .query = "{title?: text, language?: text, source?: text,"
              " format?: text|markdown|html|pdf|csv}",
     .answer = TAKEN},
    {"DELETE", "knowledge/articles/:slug", ADMIN_ADMIN, 0, forget, .summary = "Forgets an article"},
    {"GET", "knowledge/search", ADMIN_STAFF, 0, search,
     .summary = "What a question would be answered from, best first",
     .query = "{q: text, language?: text}",
     .answer = "{results: [{id: text, label: text, body: text, score: number, found: [text]}]}"},
};

const struct admin_resource admin_knowledge = {routes, sizeof(routes) / sizeof(routes[0])};
