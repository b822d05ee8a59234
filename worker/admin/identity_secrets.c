/* Secrets that prove who visitors are (WID-5): `frontdesk identity` for a program. */
#include "admin/list.h"
#include "admin/resources.h"

#include "tenant/identity_secret.h"

#include <sodium.h>
#include <string.h>

static void write_secret(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member(w, "id", db_text(rows, row, IDENTITY_SECRET_ID));
    fd_jw_member(w, "last4", db_text(rows, row, IDENTITY_SECRET_LAST4));
    fd_jw_member(w, "created_at", db_text(rows, row, IDENTITY_SECRET_CREATED));
}

static const struct list secrets = {.name = "identity_secrets", .write = write_secret};

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *rows;

    enum db_status status = identity_secret_list(request->db, request->org, &rows);
    list_reply(request, reply, &secrets, NULL, status, rows);
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    struct fd_json_writer w;
    PGresult *rows;
    int row = 0;

    enum db_status status = identity_secret_list(request->db, request->org, &rows);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    while (row < PQntuples(rows) &&
           strcmp(db_text(rows, row, IDENTITY_SECRET_ID), request->ids[0]) != 0)
        row++;
    if (row < PQntuples(rows)) {
        buf_json(&reply->body, &w);
        fd_jw_object(&w);
        write_secret(&w, rows, row);
        fd_jw_end_object(&w);
        buf_json_end(&reply->body, &w);
    } else {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    }
    PQclear(rows);
}

/* The only time that the secret itself is told. */
static void create(const struct admin_request *request, struct admin_reply *reply)
{
    char secret[IDENTITY_SECRET_SIZE], id[37];
    struct fd_json_writer w;
    enum db_status status =
        identity_secret_create(request->db, request->config->vault_keys, request->org, secret, id);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "id", id);
    fd_jw_member(&w, "secret", secret);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    sodium_memzero(secret, sizeof(secret));
    reply->status = 201;
}

static void revoke(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;
    enum db_status status =
        identity_secret_revoke(request->db, request->org, request->ids[0], &found);
    if (admin_found(reply, request, status, found, NULL))
        reply->status = 204;
}

#define SECRET "{id: uuid, last4: text, created_at: time}"

static const struct admin_route routes[] = {
    {"GET", "identity-secrets", ADMIN_ADMIN, ADMIN_ACCESS, list,
     .summary = "Secrets that prove who visitors are",
     .answer = "{identity_secrets: [" SECRET "]}"},
    {"GET", "identity-secrets/:id", ADMIN_ADMIN, ADMIN_ACCESS, show, .summary = "When one was made",
     .answer = SECRET},
    {"POST", "identity-secrets", ADMIN_ADMIN, ADMIN_ACCESS, create,
     .summary = "Makes one; it is told this once", .status = 201,
     .answer = "{id: uuid, secret: text}"},
    {"DELETE", "identity-secrets/:id", ADMIN_ADMIN, ADMIN_ACCESS, revoke,
     .summary = "Takes one back"},
};

const struct admin_resource admin_identity_secrets = {routes, sizeof(routes) / sizeof(routes[0])};
