/* GET and PUT branding: how the widget looks and what it says (ADM-2, WID-2). */
#include "tenant/branding.h"

#include "admin/resources.h"
#include "protocol/limits.h"

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    enum db_status status = branding_read(request->db, request->org, &reply->body);

    if (status != DB_OK)
        admin_db_problem(reply, request, status);
}

/* Members that are not sent stay as they are. */
static void change(const struct admin_request *request, struct admin_reply *reply)
{
    struct ai_fault fault;

    enum db_status status =
        branding_change(request->db, request->org, request->body, &fault, &reply->body);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (fault.detail[0] != '\0')
        admin_problem(reply, request, FD_PROBLEM_FIELD, fault.field[0] != '\0' ? fault.field : NULL,
                      fault.detail);
    else
        admin_settings_changed(request);
}

#define BRANDING                                                                                   \
    "{name: text|null, title: json, subtitle: json, primary_color: text|null,"                     \
    " logo_url: text|null, theme: auto|light|dark|null, position: right|left|null,"                \
    " greeting: json, suggested_questions: json, languages: [text],"                               \
    " features: {handoff: bool, rating: bool, identity: bool, model_picker: bool, prechat: json}," \
    " contrast: {ratio: number, ok: bool, text: text}, config: json}"
#define SPOKEN (ADMIN_TEXT | ADMIN_OBJECT | ADMIN_NULL) /* an object: by language */

static const struct admin_field features[] = {
    {"handoff", ADMIN_BOOL | ADMIN_NULL},
    {"rating", ADMIN_BOOL | ADMIN_NULL},
    {"identity", ADMIN_BOOL | ADMIN_NULL},
    {"model_picker", ADMIN_BOOL | ADMIN_NULL},
    {"prechat", ADMIN_BOOL | ADMIN_OBJECT | ADMIN_NULL,
     .note = "a form before the first word: {fields: [{name, label, type, required}]}"},
};
static const struct admin_field fields[] = {
    {"name", ADMIN_TEXT | ADMIN_NULL},
    {"title", SPOKEN, .note = "or an object of texts by language"},
    {"subtitle", SPOKEN, .note = "or an object of texts by language"},
    {"primary_color", ADMIN_TEXT | ADMIN_NULL, .note = "#rgb or #rrggbb"},
    {"logo_url", ADMIN_TEXT | ADMIN_NULL, .max = FD_URL_MAX, .format = "uri"},
    {"theme", ADMIN_TEXT | ADMIN_NULL, .one_of = "auto|light|dark"},
    {"position", ADMIN_TEXT | ADMIN_NULL, .one_of = "right|left"},
    {"greeting", SPOKEN, .note = "or an object of texts by language"},
    {"suggested_questions", ADMIN_TEXTS | ADMIN_OBJECT | ADMIN_NULL,
     .note = "or an object of lists by language"},
    {"languages", ADMIN_TEXTS | ADMIN_NULL, .note = "the first is the organisation's own"},
    {"features", ADMIN_OBJECT | ADMIN_NULL, .members = ADMIN_BODY(features)},
};
static const char *const computed[] = {"contrast", "config", NULL};

static const struct admin_route routes[] = {
    {"GET", "branding", ADMIN_STAFF, 0, show,
     .summary = "How the widget looks and what it says; config: what it is sent",
     .answer = BRANDING, .computed = computed},
    {"PUT", "branding", ADMIN_ADMIN, 0, change,
     .summary = "Changes what is sent; null takes a value away", .body = ADMIN_BODY(fields),
     .answer = BRANDING},
};

const struct admin_resource admin_branding = {routes, sizeof(routes) / sizeof(routes[0])};
