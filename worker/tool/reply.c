#include "tool/reply.h"

#include "tool/line.h"
#include "tool/plain.h"
#include "tool/reply_hint.h"
#include "tool/result.h"
#include "tool/schema.h"
#include "tool/shown.h"
#include "tool/webhook.h"

#include <string.h>
#include <strings.h>

#define NODES_MAX    50000 /* values of a reply */
#define UNWRAP_MAX   6
#define DETAIL_SIZE  512
#define MESSAGE_SIZE 600
#define CODE_MAX     64

struct reading {
    struct arena *a;
    const struct tool *tool;
    const struct outbound_response *response;
    struct tool_result *result;
};

/* -- for the operator ------------------------------------------------------------------------ */

static struct line detail_line(struct reading *r)
{
    struct line line;

    line_init(&line, arena_alloc(r->a, DETAIL_SIZE), DETAIL_SIZE);
    r->result->operator_detail = line.out;
    return line;
}

/* "HTTP 404: what it said. What to do" */
static void describe(struct reading *r, const char *what, const char *said, size_t said_len)
{
    const char *hint = reply_hint(r->response->status, said, said_len);
    struct line line = detail_line(r);

    line_add(&line, "HTTP %d%s%s", r->response->status, what[0] != '\0' ? ", " : "", what);
    if (said_len > 0) {
        line_add(&line, ": ");
        line_quote(&line, said, said_len, 240);
    }
    if (hint != NULL)
        line_add(&line, " (%s)", hint);
}

static void fail(struct reading *r, enum tool_failure failure, const char *message)
{
    tool_result_fail(r->result, r->a, failure, r->tool->risk, NULL, message);
}

/* -- n8n's shapes ---------------------------------------------------------------------------- */

static const struct fd_json *only_child(const struct fd_json *v)
{
    return v->count == 1 ? v->child : NULL;
}

/* An item of n8n: {"json": {...}} beside pairedItem, binary and the like. */
static const struct fd_json *item_json(const struct fd_json *v)
{
    const struct fd_json *json = fd_json_get(v, "json");

    if (json == NULL || json->type != FD_JSON_OBJECT)
        return NULL;
    for (const struct fd_json *m = v->child; m != NULL; m = m->next) {
        if (m != json && strcmp(m->key, "pairedItem") != 0 && strcmp(m->key, "binary") != 0 &&
            strcmp(m->key, "index") != 0)
            return NULL;
    }
    return json;
}

/* [x], {"json": x} and {"data": x} alone are x. */
static const struct fd_json *unwrap(const struct fd_json *v)
{
    for (int i = 0; i < UNWRAP_MAX; i++) {
        const struct fd_json *inner = NULL;
        if (v->type == FD_JSON_OBJECT) {
            inner = item_json(v);
            if (inner == NULL && v->count == 1 && strcmp(v->child->key, "data") == 0)
                inner = v->child;
        } else if (v->type == FD_JSON_ARRAY) {
            inner = only_child(v);
            if (inner != NULL && inner->type != FD_JSON_OBJECT && inner->type != FD_JSON_ARRAY)
                inner = NULL;
        }
        if (inner == NULL)
            return v;
        v = inner;
    }
    return v;
}

/* [{"json": a}, {"json": b}] is [a, b]. */
static const struct fd_json *without_items(struct arena *a, const struct fd_json *v)
{
    struct fd_json *list, **end;

    if (v->type != FD_JSON_ARRAY)
        return v;
    for (const struct fd_json *c = v->child; c != NULL; c = c->next) {
        if (item_json(c) == NULL)
            return v;
    }
    list = arena_alloc(a, sizeof(*list));
    *list = *v;
    end = &list->child;
    for (const struct fd_json *c = v->child; c != NULL; c = c->next) {
        *end = arena_alloc(a, sizeof(**end));
        **end = *item_json(c);
        end = &(*end)->next;
    }
    *end = NULL;
    return list;
}

/* -- what it says ---------------------------------------------------------------------------- */

static const char *text_of(const struct fd_json *v)
{
    return v != NULL && v->type == FD_JSON_STRING ? v->text : NULL;
}

/* {"ok": false}, {"success": false}, or an error and no data. */
static bool says_failed(const struct fd_json *v)
{
    const struct fd_json *error = fd_json_get(v, "error");

    if (!fd_json_bool(v, "ok", true) || !fd_json_bool(v, "success", true))
        return true;
    return error != NULL && error->type != FD_JSON_NULL && error->type != FD_JSON_BOOL &&
           fd_json_get(v, "data") == NULL && !fd_json_bool(v, "ok", false);
}

static const char *plain_code(struct arena *a, const char *code)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

    if (code == NULL || code[0] == '\0' || strlen(code) > CODE_MAX ||
        code[strspn(code, allowed)] != '\0')
        return "failed";
    return arena_strdup(a, code);
}

static void tell_failed(struct reading *r, const struct fd_json *v)
{
    const struct fd_json *error = fd_json_get(v, "error");
    const char *said = text_of(error);
    char message[MESSAGE_SIZE];
    struct line line;

    if (said == NULL)
        said = fd_json_string(error, "message");
    if (said == NULL)
        said = fd_json_string(v, "message");
    line_init(&line, message, sizeof(message));
    line_quote(&line, said != NULL ? said : "", said != NULL ? strlen(said) : 0, 500);
    const char *code = plain_code(r->a, fd_json_string(error, "code"));
    tool_result_error(r->result, r->a, TOOL_FAILED, code,
                      message[0] != '\0' ? message : "The tool says that it failed.",
                      fd_json_bool(error, "retryable", false));
    describe(r, code, message, line.len);
}

static bool is_empty(const struct reading *r, const struct fd_json *v)
{
    switch (v->type) {
    case FD_JSON_NULL: return true;
    case FD_JSON_STRING: return v->text_len == 0;
    case FD_JSON_OBJECT: return v->count == 0;
    case FD_JSON_ARRAY: return v->count == 0 && r->tool->risk != TOOL_READ; /* nothing is found */
    default: return false;
    }
}

/* n8n's own words in place of the workflow's. */
static bool is_acknowledgement(const struct fd_json *v)
{
    const char *message = v->count == 1 ? fd_json_string(v, "message") : NULL;

    return message != NULL && strncmp(message, "Workflow ", 9) == 0;
}

static void succeed(struct reading *r, const char *json, size_t len)
{
    r->result->failure = TOOL_OK;
    r->result->json = json;
    r->result->len = len;
}

static void nothing_usable(struct reading *r, const char *what, const char *said, size_t said_len)
{
    static const char handed_over[] =
        "{\"accepted\":true,\"note\":\"It was handed over. Whether it is done is not known.\"}";

    if (r->tool->webhook != NULL && r->tool->webhook->acknowledgement) {
        succeed(r, handed_over, sizeof(handed_over) - 1);
        return;
    }
    fail(r, TOOL_RESPONSE, NULL);
    describe(r, what, said, said_len);
}

static void accept_json(struct reading *r, const struct fd_json *v)
{
    const char *say = fd_json_string(v, "say");
    const struct fd_json *data = fd_json_get(v, "data");
    bool ok = fd_json_bool(v, "ok", false) || fd_json_bool(v, "success", false);
    size_t len;

    if (fd_json_bool(v, "pending", false)) {
        r->result->pending = true;
        const char *json = shown_json(r->a, v, NULL, TOOL_RESULT_MAX, &len);
        succeed(r, json, len);
    } else if (ok && data != NULL && !is_empty(r, data)) {
        const char *json = shown_json(r->a, without_items(r->a, data), say, TOOL_RESULT_MAX, &len);
        succeed(r, json, len);
    } else if (ok && r->tool->risk == TOOL_READ && (data != NULL || v->count == 1)) {
        nothing_usable(r, "ok without data", r->response->body, r->response->body_len);
    } else {
        const char *json = shown_json(r->a, without_items(r->a, v), NULL, TOOL_RESULT_MAX, &len);
        succeed(r, json, len);
    }
}

static void read_json(struct reading *r, const struct fd_json *root)
{
    const struct outbound_response *response = r->response;
    const struct fd_json *v = unwrap(root);
    bool good = response->status >= 200 && response->status < 300;

    if (v->type == FD_JSON_OBJECT && says_failed(v) && (good || fd_json_get(v, "error") != NULL)) {
        tell_failed(r, v);
    } else if (!good) {
        const char *said = fd_json_string(v, "message"), *hint = fd_json_string(v, "hint");
        if (said != NULL && hint != NULL)
            said = arena_printf(r->a, "%s %s", said, hint);
        fail(r, TOOL_HTTP, NULL);
        describe(r, "", said != NULL ? said : response->body,
                 said != NULL ? strlen(said) : response->body_len);
    } else if (is_empty(r, v)) {
        nothing_usable(r, "without data", response->body, response->body_len);
    } else if (is_acknowledgement(v)) {
        nothing_usable(r, "without data", response->body, response->body_len);
    } else {
        accept_json(r, v);
    }
}

static void read_text(struct reading *r)
{
    const struct outbound_response *response = r->response;
    bool good = response->status >= 200 && response->status < 300;
    struct buf text;
    size_t len;

    buf_init(&text, WEBHOOK_BODY_MAX);
    if (plain_is_html(response->content_type, response->body, response->body_len))
        plain_of_html(&text, response->body, response->body_len);
    else
        plain_of_text(&text, response->body, response->body_len);
    const char *said = text.len > 0 ? text.data : "";
    if (!good) {
        fail(r, TOOL_HTTP, NULL);
        describe(r, "", said, text.len);
    } else if (text.len == 0) {
        nothing_usable(r, "with an empty body", "", 0);
    } else {
        const char *json = shown_text(r->a, said, text.len, TOOL_RESULT_MAX, &len);
        succeed(r, json, len);
    }
    buf_free(&text);
}

static bool is_called_json(const struct outbound_response *response)
{
    return strncasecmp(response->content_type, "application/json", 16) == 0;
}

/* By its looks, too: n8n calls a JSON text text/html. */
static bool is_json(const struct outbound_response *response)
{
    char first = response->body[strspn(response->body, " \t\r\n")];

    return first == '{' || first == '[' || (first != '\0' && is_called_json(response));
}

static void read_body(struct reading *r)
{
    const struct fd_json_limits limits = {TOOL_SCHEMA_DEPTH, NODES_MAX};
    const struct outbound_response *response = r->response;
    struct fd_json_fault fault;

    if (!is_json(response)) {
        read_text(r);
        return;
    }
    const struct fd_json *root =
        fd_json_parse(response->body, response->body_len, limits, arena_allocator(r->a), &fault);
    if (root != NULL) {
        read_json(r, root);
    } else if (is_called_json(response) && response->status >= 200 && response->status < 300) {
        fail(r, TOOL_RESPONSE, NULL);
        describe(r, fd_json_error_text(fault.error), response->body, response->body_len);
    } else {
        read_text(r);
    }
}

/* -- no response ----------------------------------------------------------------------------- */

static enum tool_failure failure_of(enum outbound_failure failure)
{
    switch (failure) {
    case OUTBOUND_OK: return TOOL_OK;
    case OUTBOUND_BAD_URL:
    case OUTBOUND_BAD_HEADER:
    case OUTBOUND_BLOCKED: return TOOL_BLOCKED;
    case OUTBOUND_RESOLVE:
    case OUTBOUND_CONNECT:
    case OUTBOUND_TLS: return TOOL_UNREACHABLE;
    case OUTBOUND_TIMEOUT: return TOOL_TIMEOUT;
    case OUTBOUND_REDIRECT: return TOOL_HTTP;
    case OUTBOUND_CUT:
    case OUTBOUND_TOO_LARGE: return TOOL_RESPONSE;
    }
    return TOOL_RESPONSE;
}

void reply_read(struct arena *a, const struct tool *tool, const struct outbound_response *response,
                struct tool_result *result)
{
    struct reading r = {a, tool, response, result};

    *result = (struct tool_result){.status = response->status, .ms = response->ms};
    if (response->failure == OUTBOUND_OK) {
        read_body(&r);
        return;
    }
    fail(&r, failure_of(response->failure), NULL);
    struct line line = detail_line(&r);
    line_add(&line, "%s: %s", outbound_failure_name(response->failure),
             response->error != NULL ? response->error : "");
}
