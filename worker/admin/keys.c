/* API keys (EDGE-2): the operations of `frontdesk key` for a program. */
#include "admin/field.h"
#include "admin/list.h"
#include "tenant/keys.h"

#include <string.h>

#define NAME_MAX_LEN  100
#define ORIGINS_MAX   50
#define OVERLAP_S     86400
#define OVERLAP_MAX_S 7776000

static void write_origins(struct fd_json_writer *w, const char *origins)
{
    fd_jw_array(w);
    for (const char *at = origins; *at != '\0';) {
        size_t len = strcspn(at, " ");
        fd_jw_string(w, at, len);
        at += len + (at[len] == ' ');
    }
    fd_jw_end_array(w);
}

static void write_row(struct fd_json_writer *w, const PGresult *keys, int row)
{
    fd_jw_member(w, "id", db_text(keys, row, KEY_ID));
    fd_jw_member(w, "name", db_text(keys, row, KEY_NAME));
    fd_jw_member(w, "kind", db_text(keys, row, KEY_KIND));
    fd_jw_member(w, "last4", db_text(keys, row, KEY_LAST4));
    fd_jw_key(w, "origins");
    write_origins(w, db_text(keys, row, KEY_ORIGINS));
    fd_jw_member(w, "created_at", db_text(keys, row, KEY_CREATED_AT));
    fd_jw_member(w, "expires_at", db_text(keys, row, KEY_EXPIRES_AT));
    fd_jw_member(w, "status", db_text(keys, row, KEY_STATUS));
    fd_jw_member(w, "scope", db_text(keys, row, KEY_SCOPE));
}

static const struct list keys = {"keys", write_row, 1, {KEY_ID}};

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    PGresult *rows;

    if (!list_page(request, reply, &keys, &page))
        return;
    enum db_status status =
        keys_list(request->db, request->org, page.after[0], page.limit + 1, &rows);
    list_reply(request, reply, &keys, &page, status, rows);
}

/* The only time that the key itself is told. */
static void reply_key(struct admin_reply *reply, const char *id, const char *key,
                      const char *rotated_from)
{
    struct fd_json_writer w;

    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "id", id);
    fd_jw_member(&w, "key", key);
    if (rotated_from != NULL)
        fd_jw_member(&w, "rotated_from", rotated_from);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    reply->status = 201;
}

static void create(const struct admin_request *request, struct admin_reply *reply)
{
    const struct fd_json *body = request->body;
    bool secret = strcmp(fd_json_string(body, "kind"), "sk") == 0;
    char key[FD_API_KEY_SIZE], id[37];
    struct key_new spec = {.org = request->org,
                           .name = fd_json_string(body, "name"),
                           .kind = secret ? FD_KEY_SECRET : FD_KEY_PUBLISHABLE,
                           .scope = fd_json_string(body, "scope")};

    spec.origin_count = field_texts(request, "origins", &spec.origins);
    enum db_status status = keys_create(request->db, &spec, key, id);
    if (status == DB_FAILED && db_sqlstate(request->db)[0] == '\0') {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "origins", db_error(request->db));
        return;
    }
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    admin_settings_changed(request);
    reply_key(reply, id, key, NULL);
}

/* False: the reply says that there is no such key any more, or what went wrong. */
static bool find_live(const struct admin_request *request, struct admin_reply *reply)
{
    bool live;

    enum db_status status = keys_is_live(request->db, request->org, request->ids[0], &live);
    return admin_found(reply, request, status, live, "there is no such live key");
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *key;

    enum db_status status = keys_get(request->db, request->org, request->ids[0], &key);
    if (status == DB_FAILED && db_sqlstate(request->db)[0] == '\0')
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    else
        list_reply_one(request, reply, write_row, status, key, NULL);
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct key_change change = {.name = fd_json_string(request->body, "name")};
    bool found;

    change.origin_count = field_texts(request, "origins", &change.origins);
    enum db_status status =
        keys_change(request->db, request->org, request->ids[0], &change, &found);
    if (status != DB_OK) {
        field_refuse(request, reply, status);
    } else if (!found) {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, "there is no such live key");
    } else {
        admin_settings_changed(request);
        show(request, reply);
    }
}

static void rotate(const struct admin_request *request, struct admin_reply *reply)
{
    char key[FD_API_KEY_SIZE], id[37];
    int64_t overlap = fd_json_int(request->body, "overlap_s", OVERLAP_S);

    if (!find_live(request, reply))
        return;
    enum db_status status =
        keys_rotate(request->db, request->org, request->ids[0], overlap, key, id);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    admin_settings_changed(request);
    reply_key(reply, id, key, request->ids[0]);
}

static void revoke(const struct admin_request *request, struct admin_reply *reply)
{
    char sha256[FD_SHA256_HEX_SIZE];

    if (!find_live(request, reply))
        return;
    enum db_status status = keys_revoke(request->db, request->org, request->ids[0], sha256);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    admin_settings_changed(request);
    reply->status = 204;
}

#define KEY                                                                                        \
    "{id: uuid, name: text, kind: pk|sk, last4: text, origins: [text], created_at: time,"          \
    " expires_at: time|null, status: live|expiring|expired|revoked, scope: read|write|admin}"

static const struct admin_field new_fields[] = {
    {"name", ADMIN_TEXT, .required = true, .max = NAME_MAX_LEN},
    {"kind", ADMIN_TEXT, .required = true, .one_of = "pk|sk", .note = "publishable or secret"},
    {"origins", ADMIN_TEXTS, .max = ORIGINS_MAX, .note = "sites that may use a publishable key"},
    {"scope", ADMIN_TEXT, .one_of = "read|write|admin", .note = "of a secret key"},
};
static const struct admin_field change_fields[] = {
    {"name", ADMIN_TEXT, .max = NAME_MAX_LEN},
    {"origins", ADMIN_TEXTS, .max = ORIGINS_MAX, .note = "all of them; of a publishable key"},
};
static const struct admin_field rotate_fields[] = {
    {"overlap_s", ADMIN_INT, .min = 0, .max = OVERLAP_MAX_S, .note = "a day unless given"},
};
static const char *const computed[] = {"status", NULL};

static const struct admin_route routes[] = {
    {"GET", "keys", ADMIN_ADMIN, ADMIN_ACCESS, list, .summary = "API keys, as they were made",
     .query = "{" PAGE_QUERY "}", .answer = "{keys: [" KEY "], " PAGE_ANSWER "}"},
    {"POST", "keys", ADMIN_ADMIN, ADMIN_ACCESS, create,
     .summary = "Makes a key, which is told this once", .body = ADMIN_BODY(new_fields),
     .status = 201, .answer = "{id: uuid, key: text}"},
    {"GET", "keys/:id", ADMIN_ADMIN, ADMIN_ACCESS, show, .summary = "A key", .answer = KEY,
     .computed = computed},
    {"PATCH", "keys/:id", ADMIN_ADMIN, ADMIN_ACCESS, change,
     .summary = "Changes a live key's name and origins", .body = ADMIN_BODY(change_fields),
     .answer = KEY},
    {"POST", "keys/:id/rotate", ADMIN_ADMIN, ADMIN_ACCESS, rotate,
     .summary = "Makes a successor; the key goes on for a while", .body = ADMIN_BODY(rotate_fields),
     .status = 201, .answer = "{id: uuid, key: text, rotated_from: uuid}"},
    {"DELETE", "keys/:id", ADMIN_ADMIN, ADMIN_ACCESS, revoke, .summary = "Revokes a key"},
};

const struct admin_resource admin_keys = {routes, sizeof(routes) / sizeof(routes[0])};
