/* Users of an organisation (ADM-1). Whoever's role, status or password changes signs in anew. */
#include "admin/field.h"
#include "admin/list.h"
#include "admin/resources.h"
#include "admin/session_reply.h"
#include "tenant/password.h"
#include "tenant/sign_in.h"
#include "tenant/users.h"

static void write_row(struct fd_json_writer *w, const PGresult *users, int row)
{
    fd_jw_member(w, "id", db_text(users, row, USER_ID));
    fd_jw_member(w, "email", db_text(users, row, USER_EMAIL));
    fd_jw_member(w, "name", db_text(users, row, USER_NAME));
    fd_jw_member(w, "role", db_text(users, row, USER_ROLE));
    fd_jw_member(w, "status", db_text(users, row, USER_STATUS));
    fd_jw_member_bool(w, "superadmin", db_true(users, row, USER_SUPERADMIN));
    fd_jw_member_bool(w, "can_sign_in", db_true(users, row, USER_HAS_PASSWORD));
    fd_jw_member(w, "created_at", db_text(users, row, USER_CREATED_AT));
    fd_jw_member(w, "last_sign_in_at", db_text(users, row, USER_LAST_SIGN_IN_AT));
}

static const struct list users = {"users", write_row, 1, {USER_ID}};

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    PGresult *rows;

    if (!list_page(request, reply, &users, &page))
        return;
    enum db_status status =
        users_list(request->db, request->org, page.after[0], page.limit + 1, &rows);
    list_reply(request, reply, &users, &page, status, rows);
}

/* NULL: the reply says that there is no such user, or what went wrong. */
static PGresult *find(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *user;

    enum db_status status = users_get(request->db, request->org, request->ids[0], &user);
    if (status == DB_OK && PQntuples(user) == 1)
        return user;
    PQclear(user);
    if (status == DB_OK || (status == DB_FAILED && db_sqlstate(request->db)[0] == '\0'))
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    else
        admin_db_problem(reply, request, status);
    return NULL;
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *user = find(request, reply);

    if (user != NULL)
        list_reply_one(request, reply, write_row, DB_OK, user, NULL);
}

static void refuse(const struct admin_request *request, struct admin_reply *reply,
                   enum db_status status)
{
    if (status == DB_CONFLICT && db_sqlstate(request->db)[0] != '\0')
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, "email",
                      "there is a user with this e-mail address");
    else
        field_refuse(request, reply, status);
}

static void reply_token(struct admin_reply *reply, const char *id, const char *token)
{
    struct fd_json_writer w;

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "id", id);
    fd_jw_member(&w, "reset_token", token);
    fd_jw_member_int(&w, "expires_in", RESET_LIFE_S);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    reply->status = 201;
}

/* Nobody chooses another's password: the token that is answered opens the account once. */
static void create(const struct admin_request *request, struct admin_reply *reply)
{
    struct user_new user = {.org = request->org,
                            .email = fd_json_string(request->body, "email"),
                            .name = fd_json_string(request->body, "name"),
                            .role = fd_json_string(request->body, "role")};
    char id[37], token[SIGN_IN_TOKEN_SIZE];

    enum db_status status = users_create(request->db, &user, (int)request->role, id);
    if (status == DB_OK)
        status = reset_token_make(request->db, request->org, id, (int)request->role, token);
    if (status == DB_OK)
        reply_token(reply, id, token);
    else
        refuse(request, reply, status);
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    const struct user_change change = {.name = fd_json_string(request->body, "name"),
                                       .role = fd_json_string(request->body, "role"),
                                       .status = fd_json_string(request->body, "status")};
    PGresult *user = find(request, reply), *ended;

    if (user == NULL)
        return;
    PQclear(user);
    enum db_status status = users_change(request->db, request->org, request->ids[0], &change,
                                         (int)request->role, &ended);
    if (status != DB_OK) {
        refuse(request, reply, status);
        return;
    }
    sessions_ended(request, ended);
    show(request, reply);
}

/* Whoever opens an account by a token is that user: not for those above one's own role. */
static void make_reset(const struct admin_request *request, struct admin_reply *reply)
{
    char token[SIGN_IN_TOKEN_SIZE];
    PGresult *user = find(request, reply);

    if (user == NULL)
        return;
    int rank = db_true(user, 0, USER_SUPERADMIN) ? (int)ADMIN_SUPERADMIN
                                                 : user_role_rank(db_text(user, 0, USER_ROLE));
    PQclear(user);
    if (rank > (int)request->role) {
        admin_problem(reply, request, FD_PROBLEM_ROLE, NULL,
                      "nobody resets a user whose role is above their own");
        return;
    }
    enum db_status status =
        reset_token_make(request->db, request->org, request->ids[0], (int)request->role, token);
    if (status == DB_OK)
        reply_token(reply, request->ids[0], token);
    else
        refuse(request, reply, status);
}

#define USER                                                                                       \
    "{id: uuid, email: text, name: text, role: text, status: text, superadmin: bool,"              \
    " can_sign_in: bool, created_at: time, last_sign_in_at: time|null}"
#define TOKEN "{id: uuid, reset_token: text, expires_in: int}"

static const struct admin_field new_fields[] = {
    {"email", ADMIN_TEXT, .required = true, .max = USER_EMAIL_MAX, .format = "email"},
    {"name", ADMIN_TEXT, .max = USER_NAME_MAX},
    {"role", ADMIN_TEXT, .required = true, .one_of = USER_ROLES},
};
static const struct admin_field change_fields[] = {
    {"name", ADMIN_TEXT, .max = USER_NAME_MAX},
    {"role", ADMIN_TEXT, .one_of = USER_ROLES},
    {"status", ADMIN_TEXT, .one_of = "active|disabled"},
};
static const char *const computed[] = {"can_sign_in", "last_sign_in_at", NULL};

static const struct admin_route routes[] = {
    {"GET", "users", ADMIN_ADMIN, ADMIN_ACCESS, list, .summary = "The organisation's users",
     .query = "{" PAGE_QUERY "}", .answer = "{users: [" USER "], " PAGE_ANSWER "}"},
    {"POST", "users", ADMIN_ADMIN, ADMIN_ACCESS, create,
     .summary = "Makes a user; the token, told this once, sets the password",
     .body = ADMIN_BODY(new_fields), .status = 201, .answer = TOKEN},
    {"GET", "users/:id", ADMIN_ADMIN, ADMIN_ACCESS, show, .summary = "A user", .answer = USER,
     .computed = computed},
    {"PATCH", "users/:id", ADMIN_ADMIN, ADMIN_ACCESS, change, .summary = "Changes a user",
     .body = ADMIN_BODY(change_fields), .answer = USER},
    {"POST", "users/:id/reset", ADMIN_ADMIN, ADMIN_ACCESS, make_reset,
     .summary = "Makes a token that sets a new password", .status = 201, .answer = TOKEN},
};

const struct admin_resource admin_users = {routes, sizeof(routes) / sizeof(routes[0])};
