/* Ai-settings/provider and ai-settings/embedding: an organisation's own model servers (ENG-1,
 * ENG-5). Of a key the last four characters are all that ever comes back. */
#include "tenant/ai_endpoint.h"

#include "admin/admin.h"
#include "protocol/limits.h"

#include <string.h>

static enum ai_endpoint_kind kind_of(const struct admin_request *request)
{
    return strstr(request->path, "ai-settings/embedding") != NULL ? AI_ENDPOINT_EMBEDDING
                                                                  : AI_ENDPOINT_CHAT;
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    enum db_status status =
        ai_endpoint_show(request->db, request->org, kind_of(request), &reply->body);

    if (status != DB_OK)
        admin_db_problem(reply, request, status);
}

/* Members that are not sent stay as they are. */
static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct ai_fault fault;
    enum db_status status =
        ai_endpoint_change(request->db, request->config, request->org, kind_of(request),
                           request->body, &fault, &reply->body);

    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (fault.detail[0] != '\0')
        admin_problem(reply, request, FD_PROBLEM_FIELD, fault.field, fault.detail);
    else
        admin_settings_changed(request);
}

static const char none[] = "none is set";

static void remove_one(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;
    enum db_status status = ai_endpoint_remove(request->db, request->org, kind_of(request), &found);

    if (!admin_found(reply, request, status, found, none))
        return;
    admin_settings_changed(request);
    reply->status = 204;
}

static void test(const struct admin_request *request, struct admin_reply *reply)
{
    bool found;
    enum db_status status = ai_endpoint_test(request->db, request->config, request->org,
                                             kind_of(request), &found, &reply->body);

    admin_found(reply, request, status, found, none);
}

#define ENDPOINT                                                                                   \
    "{provider: text|null, base_url?: text|null, model?: text|null, dimensions?: int|null,"        \
    " api_key?: {set: bool, ends_with?: text|null}, last_test?: json, updated_at?: time}"
#define TESTED                                                                                     \
    "{ok: bool, ms: int, status: int, detail: text|null, detail_reason: " ADMIN_REASON "}"

static const struct admin_field provider_fields[] = {
    {"provider", ADMIN_TEXT | ADMIN_NULL, .max = 20},
    {"base_url", ADMIN_TEXT | ADMIN_NULL, .max = 2048, .format = "uri"},
    {"api_key", ADMIN_TEXT | ADMIN_NULL, .max = 4096},
    {"model", ADMIN_NULL},
    {"dimensions", ADMIN_NULL},
};
static const struct admin_field embedding_fields[] = {
    {"provider", ADMIN_TEXT | ADMIN_NULL, .max = 20},
    {"base_url", ADMIN_TEXT | ADMIN_NULL, .max = 2048, .format = "uri"},
    {"api_key", ADMIN_TEXT | ADMIN_NULL, .max = 4096},
    {"model", ADMIN_TEXT | ADMIN_NULL, .max = FD_MODEL_ID_MAX},
    {"dimensions", ADMIN_INT | ADMIN_NULL, .note = "null: the model's own"},
};

static const struct admin_route routes[] = {
    {"GET", "ai-settings/provider", ADMIN_STAFF, 0, show, .summary = "The own model server",
     .answer = ENDPOINT},
    {"PUT", "ai-settings/provider", ADMIN_ADMIN, 0, change,
     .summary = "Sets it; what is not sent stays, null takes a value away",
     .body = ADMIN_BODY(provider_fields), .answer = ENDPOINT},
    {"DELETE", "ai-settings/provider", ADMIN_ADMIN, 0, remove_one,
     .summary = "Goes back to the platform's"},
    {"POST", "ai-settings/provider/test", ADMIN_ADMIN, ADMIN_STEPS | ADMIN_WAITS, test,
     .summary = "Asks it something small", .answer = TESTED},
    {"GET", "ai-settings/embedding", ADMIN_STAFF, 0, show, .summary = "The own embedding server",
     .answer = ENDPOINT},
    {"PUT", "ai-settings/embedding", ADMIN_ADMIN, 0, change,
     .summary = "Sets it; what is not sent stays, null takes a value away",
     .body = ADMIN_BODY(embedding_fields), .answer = ENDPOINT},
    {"DELETE", "ai-settings/embedding", ADMIN_ADMIN, 0, remove_one,
     .summary = "Goes back to the platform's"},
    {"POST", "ai-settings/embedding/test", ADMIN_ADMIN, ADMIN_STEPS | ADMIN_WAITS, test,
     .summary = "Asks it something small", .answer = TESTED},
};

const struct admin_resource admin_ai_endpoints = {routes, sizeof(routes) / sizeof(routes[0])};
