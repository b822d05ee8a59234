/* Regression cases (ADM-4): a question, and what its answer has to be like. */
#include "admin/field.h"
#include "admin/list.h"
#include "admin/resources.h"
#include "chat/test_chat.h"
#include "protocol/limits.h"
#include "tenant/bounds.h"

#include <string.h>

#define NAME_MAX   200
#define EXPECT_MAX 16384 /* bytes of JSON */
#define TEXTS_MAX  20

#define COLUMNS                                                                                    \
    "id, name, message, language, model_id, expect::text, to_json(created_at)#>>'{}',"             \
    " to_json(updated_at)#>>'{}'"

static const struct db_statement list_statement = {
    "test_cases_list",
    "SELECT " COLUMNS " FROM test_cases WHERE org_id = $1::uuid"
    "   AND ($2::timestamptz IS NULL OR (created_at, id) < ($2::timestamptz, $3::uuid))"
    " ORDER BY created_at DESC, id DESC LIMIT $4::int",
    4};
static const struct db_statement find_statement = {
    "test_case_find",
    "SELECT " COLUMNS " FROM test_cases WHERE org_id = $1::uuid AND id = $2::uuid", 2};
static const struct db_statement insert_statement = {
    "test_case_insert",
    "INSERT INTO test_cases (org_id, name, message, language, model_id, expect)"
    " SELECT $1::uuid, $2, $3, $4, $5, coalesce($6::jsonb, '{}')"
    "  WHERE (SELECT count(*) FROM test_cases WHERE org_id = $1::uuid) < " BOUND_TEXT(
        BOUND_TEST_CASES) " RETURNING " COLUMNS,
    6};
/* A member that is null takes the value away; $7 and $8: it was given. */
static const struct db_statement update_statement = {
    "test_case_update",
    "UPDATE test_cases SET name = coalesce($3, name), message = coalesce($4, message),"
    "       language = CASE WHEN $7::boolean THEN $5 ELSE language END,"
    "       model_id = CASE WHEN $8::boolean THEN $6 ELSE model_id END,"
    "       expect = coalesce($9::jsonb, expect), updated_at = now()"
    " WHERE org_id = $1::uuid AND id = $2::uuid RETURNING " COLUMNS,
    9};
static const struct db_statement delete_statement = {
    "test_case_delete",
    "DELETE FROM test_cases WHERE org_id = $1::uuid AND id = $2::uuid RETURNING 1", 2};

/* -- what is given ----------------------------------------------------------------------------- */

struct given {
    const char *name, *message, *language, *model_id;
    const char *expect; /* JSON */
};

static struct fd_text text_of(const char *s)
{
    return (struct fd_text){s, s != NULL ? strlen(s) : 0};
}

/* By a visitor's rules. */
static bool is_question(const struct admin_request *request, struct admin_reply *reply,
                        const struct given *given)
{
    const struct fd_chat_request asked = {
        .message = text_of(given->message != NULL ? given->message : "?"),
        .language = text_of(given->language),
        .model_id = text_of(given->model_id)};
    struct fd_field_fault fault;

    if (test_chat_body(request->arena, &asked, &fault) != NULL)
        return true;
    admin_problem(reply, request, FD_PROBLEM_FIELD, arena_strdup(request->arena, fault.field),
                  arena_strdup(request->arena, fault.detail));
    return false;
}

static bool read_expect(const struct admin_request *request, struct admin_reply *reply,
                        const char **expect)
{
    *expect = NULL;
    if (!field_object(request, reply, "expect", expect))
        return false;
    bool fits = *expect == NULL || strlen(*expect) <= EXPECT_MAX;
    if (!fits)
        admin_problem(reply, request, FD_PROBLEM_FIELD, "expect", "it is too long");
    return fits;
}

static bool read_given(const struct admin_request *request, struct admin_reply *reply,
                       struct given *given)
{
    const struct fd_json *body = request->body;

    *given = (struct given){.name = fd_json_string(body, "name"),
                            .message = fd_json_string(body, "message"),
                            .language = fd_json_string(body, "language"),
                            .model_id = fd_json_string(body, "model_id")};
    return is_question(request, reply, given) && read_expect(request, reply, &given->expect);
}

/* -- answers -------------------------------------------------------------------------------------
 */

static void write_case(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member(w, "id", db_text(rows, row, 0));
    fd_jw_member(w, "name", db_text(rows, row, 1));
    fd_jw_member(w, "message", db_text(rows, row, 2));
    fd_jw_member(w, "language", db_text(rows, row, 3));
    fd_jw_member(w, "model_id", db_text(rows, row, 4));
    fd_jw_member_raw(w, "expect", db_text(rows, row, 5));
    fd_jw_member(w, "created_at", db_text(rows, row, 6));
    fd_jw_member(w, "updated_at", db_text(rows, row, 7));
}

static const struct list cases = {"test_cases", write_case, 2, {6, 0}}; /* created_at, id */

static void answer(const struct admin_request *request, struct admin_reply *reply,
                   const struct db_statement *statement, const char *const *params)
{
    PGresult *row;
    enum db_status status = db_query(request->db, request->org, statement, params, &row);

    list_reply_one(request, reply, write_case, status, row, NULL);
}

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    PGresult *rows;

    if (!list_page(request, reply, &cases, &page))
        return;
    const char *params[] = {request->org, page.after[0], page.after[1], page.rows};
    enum db_status status = db_query(request->db, request->org, &list_statement, params, &rows);
    list_reply(request, reply, &cases, &page, status, rows);
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    const char *params[] = {request->org, db_uuid(request->ids[0])};

    answer(request, reply, &find_statement, params);
}

static void create(const struct admin_request *request, struct admin_reply *reply)
{
    struct given given;
    PGresult *row;

    if (!read_given(request, reply, &given))
        return;
    const char *params[] = {request->org,   given.name,     given.message,
                            given.language, given.model_id, given.expect};
    enum db_status status = db_query(request->db, request->org, &insert_statement, params, &row);
    if (status == DB_OK && PQntuples(row) == 0) {
        PQclear(row);
        status = bound_reached(request->db, BOUND_TEST_CASES, "test cases");
    }
    list_reply_one(request, reply, write_case, status, row, NULL);
    if (status == DB_OK)
        reply->status = 201;
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct given given;

    if (!read_given(request, reply, &given))
        return;
    const char *params[] = {request->org,
                            db_uuid(request->ids[0]),
                            given.name,
                            given.message,
                            given.language,
                            given.model_id,
                            fd_json_get(request->body, "language") != NULL ? "true" : "false",
                            fd_json_get(request->body, "model_id") != NULL ? "true" : "false",
                            given.expect};
    answer(request, reply, &update_statement, params);
}

static void drop(const struct admin_request *request, struct admin_reply *reply)
{
    const char *params[] = {request->org, db_uuid(request->ids[0])};
    bool found;

    enum db_status status = db_found(request->db, request->org, &delete_statement, params, &found);
    if (admin_found(reply, request, status, found, NULL))
        reply->status = 204;
}

/* -- routes --------------------------------------------------------------------------------------
 */

static const struct admin_field expect_fields[] = {
    {.name = "contains",
     .kind = ADMIN_TEXTS,
     .max = TEXTS_MAX,
     .note = "texts that are in the answer, their letters large or small"},
    {.name = "not_contains", .kind = ADMIN_TEXTS, .max = TEXTS_MAX, .note = "texts that are not"},
    {.name = "tool",
     .kind = ADMIN_TEXT | ADMIN_NULL,
     .max = 64,
     .note = "that is called; what writes is not run in a test, and counts as called"},
    {.name = "cites",
     .kind = ADMIN_TEXTS,
     .max = TEXTS_MAX,
     .note = "ids such as article:shipping"},
    {.name = "language", .kind = ADMIN_TEXT | ADMIN_NULL, .max = FD_LANGUAGE_MAX},
    {.name = "tier", .kind = ADMIN_TEXT | ADMIN_NULL, .one_of = "fast|reasoning|fallback"},
};

static const struct admin_field new_fields[] = {
    {.name = "name", .kind = ADMIN_TEXT, .required = true, .max = NAME_MAX},
    {.name = "message", .kind = ADMIN_TEXT, .required = true, .max = FD_MESSAGE_MAX},
    {.name = "language", .kind = ADMIN_TEXT | ADMIN_NULL, .max = FD_LANGUAGE_MAX},
    {.name = "model_id", .kind = ADMIN_TEXT | ADMIN_NULL, .max = FD_MODEL_ID_MAX},
    {.name = "expect", .kind = ADMIN_OBJECT, .members = ADMIN_BODY(expect_fields)},
};
static const struct admin_field fields[] = {
    {.name = "name", .kind = ADMIN_TEXT, .max = NAME_MAX},
    {.name = "message", .kind = ADMIN_TEXT, .max = FD_MESSAGE_MAX},
    {.name = "language", .kind = ADMIN_TEXT | ADMIN_NULL, .max = FD_LANGUAGE_MAX},
    {.name = "model_id", .kind = ADMIN_TEXT | ADMIN_NULL, .max = FD_MODEL_ID_MAX},
    {.name = "expect", .kind = ADMIN_OBJECT, .members = ADMIN_BODY(expect_fields)},
};

#define CASE                                                                                       \
    "{id: uuid, name: text, message: text, language: text|null, model_id: text|null,"              \
    " expect: {contains?: [text], not_contains?: [text], tool?: text|null, cites?: [text],"        \
    " language?: text|null, tier?: fast|reasoning|fallback|null}, created_at: time,"               \
    " updated_at: time}"

static const char *const computed[] = {"updated_at", NULL};

static const struct admin_route routes[] = {
    {"GET", "test-cases", ADMIN_STAFF, 0, list, .summary = "Regression cases, newest first",
     .query = "{" PAGE_QUERY "}", .answer = "{test_cases: [" CASE "], " PAGE_ANSWER "}"},
    {"POST", "test-cases", ADMIN_STAFF, 0, create, .summary = "Keeps a question as a case",
     .body = ADMIN_BODY(new_fields), .status = 201, .answer = CASE},
    {"GET", "test-cases/:id", ADMIN_STAFF, 0, show, .summary = "One of them", .answer = CASE,
     .computed = computed},
    {"PATCH", "test-cases/:id", ADMIN_STAFF, 0, change, .summary = "Changes it",
     .body = ADMIN_BODY(fields), .answer = CASE},
    {"DELETE", "test-cases/:id", ADMIN_STAFF, 0, drop, .summary = "Forgets it"},
};

const struct admin_resource admin_test_cases = {routes, sizeof(routes) / sizeof(routes[0])};
