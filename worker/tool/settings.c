#include "tool/settings.h"

#include "net/target.h"
#include "tenant/bounds.h"
#include "tenant/sealed.h"
#include "tool/schema.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#define SECRET_BYTES 32
#define SECRET_MIN   16
#define SECRET_MAX   256
#define TOKEN_MAX    1024

static const struct db_statement list = {
    "tools_list",
    "SELECT coalesce(t.tool_name, c.tool_name) AS name,"
    "       CASE WHEN t.tool_name IS NULL THEN 'own' ELSE 'catalogue' END,"
    "       coalesce(t.category, 'own'), coalesce(c.description, t.description),"
    "       coalesce(c.parameters_schema, t.parameters_schema), coalesce(c.risk, t.risk, 'write'),"
    "       coalesce(c.enabled, false), c.n8n_webhook_url, coalesce(c.bindings, '{}'),"
    "       coalesce(c.timeout_ms, 30000), coalesce(c.acknowledgement, false),"
    "       c.signing_secret IS NOT NULL, CASE WHEN c.token IS NOT NULL THEN c.token_header END,"
    "       coalesce(c.custom_config, '{}'),"
    "       to_char(c.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    "  FROM tools t FULL JOIN (SELECT * FROM client_tools WHERE org_id = $1) c USING (tool_name)"
    " WHERE $2::text IS NULL OR $2 IN (t.tool_name, c.tool_name) ORDER BY name",
    2};
/* The row is locked until the end: two changes do not mix. */
static const struct db_statement take_up = {
    "tools_take_up",
    "INSERT INTO client_tools (org_id, tool_name) SELECT $1, $2"
    "  WHERE EXISTS (SELECT FROM client_tools WHERE org_id = $1 AND tool_name = $2)"
    "     OR (SELECT count(*) FROM client_tools WHERE org_id = $1) < " BOUND_TEXT(
        BOUND_TOOLS) " ON CONFLICT (org_id, tool_name) DO UPDATE SET updated_at = now()"
                     " RETURNING id, n8n_webhook_url, token_header, token IS NOT NULL, "
                     "signing_secret IS NOT NULL",
    2};
static const struct db_statement change_row = {
    "tools_change",
    "UPDATE client_tools SET description = coalesce($3, description),"
    "       parameters_schema = coalesce($4::jsonb, parameters_schema),"
    "       risk = coalesce($5, risk), n8n_webhook_url = coalesce($6, n8n_webhook_url),"
    "       bindings = coalesce($7::jsonb, bindings),"
    "       custom_config = coalesce($8::jsonb, custom_config),"
    "       token_header = coalesce($9, token_header),"
    "       timeout_ms = coalesce($10::int, timeout_ms), enabled = coalesce($11::bool, enabled),"
    "       acknowledgement = coalesce($12::bool, acknowledgement)"
    " WHERE org_id = $1 AND id = $2",
    12};
/* $3 NULL: it is removed. */
static const struct db_statement change_secret = {
    "tools_change_secret",
    "UPDATE client_tools SET signing_secret = $3::bytea WHERE org_id = $1 AND id = $2", 3};
static const struct db_statement change_token = {
    "tools_change_token", "UPDATE client_tools SET token = $3::bytea WHERE org_id = $1 AND id = $2",
    3};
static const struct db_statement remove_row = {
    "tools_remove", "DELETE FROM client_tools WHERE org_id = $1 AND tool_name = $2 RETURNING id",
    2};
static const struct db_statement list_executions = {
    "tools_executions",
    "SELECT id, tool_name, conversation_id, job_id, parameters, response, success, status, failure,"
    "       http_status, detail, approved_by, execution_time_ms,"
    "       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
    "       created_at::text"
    "  FROM tool_executions"
    " WHERE org_id = $1 AND ($2::text IS NULL OR tool_name = $2)"
    "   AND ($3::timestamptz IS NULL OR (created_at, id) < ($3::timestamptz, $4::uuid))"
    " ORDER BY created_at DESC, id DESC LIMIT $5",
    5};

const struct tool_change tool_unchanged = {.timeout_ms = -1, .enabled = -1, .acknowledgement = -1};

enum db_status tools_list(struct db *db, const char *org, const char *name, PGresult **rows)
{
    const char *params[] = {org, name};

    return db_query(db, org, &list, params, rows);
}

enum db_status tools_remove(struct db *db, const char *org, const char *name, bool *found)
{
    const char *params[] = {org, name};

    return db_found(db, org, &remove_row, params, found);
}

enum db_status tools_executions(struct db *db, const char *org, const char *tool,
                                const char *after_cursor, const char *after_id, int most,
                                PGresult **rows)
{
    char limit[DB_NUMBER_SIZE];
    const char *params[] = {org, tool, after_cursor, after_id, db_number(limit, most)};

    return db_query(db, org, &list_executions, params, rows);
}

/* -- what may be saved ----------------------------------------------------------------------- */

static bool wrong(struct tool_problem *problem, const char *field, const char *text)
{
    problem->field = field;
    snprintf(problem->text, sizeof(problem->text), "%s", text);
    return false;
}

static bool is_name(const char *name)
{
    size_t len = strlen(name);

    return len >= 1 && len <= 64 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
}

static bool is_header_value(const char *value)
{
    for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
        if (*p < ' ' || *p >= 0x7f)
            return false;
    }
    return true;
}

/* A header that the request itself needs cannot carry the token. */
static bool is_token_header(const char *name)
{
    static const char *const taken[] = {"host",
                                        "content-length",
                                        "content-type",
                                        "connection",
                                        "transfer-encoding",
                                        "accept",
                                        "idempotency-key",
                                        "x-frontdesk-signature",
                                        "expect",
                                        "x-frontdesk-timestamp",
                                        "te",
                                        "upgrade",
                                        "trailer"};
    size_t len = strlen(name);

    if (len < 1 || len > 64 ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != len)
        return false;
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        if (strcasecmp(taken[i], name) == 0)
            return false;
    }
    return true;
}

static bool is_url(const char *url, struct tool_problem *problem)
{
    struct target target;
    char error[256];

    if (!target_parse(&target, url, error))
        return wrong(problem, "url", error);
    target_free(&target);
    return true;
}

static bool is_object(const char *text, const char *field, struct tool_problem *problem)
{
    const struct fd_json_limits limits = {TOOL_SCHEMA_DEPTH, TOOL_SCHEMA_NODES};
    struct fd_json_fault fault;
    struct arena a;

    arena_init(&a);
    const struct fd_json *json =
        strlen(text) > TOOL_SCHEMA_MAX
            ? NULL
            : fd_json_parse(text, strlen(text), limits, arena_allocator(&a), &fault);
    bool good = json != NULL && json->type == FD_JSON_OBJECT;
    arena_free(&a);
    return good || wrong(problem, field, "a JSON object would be right");
}

static bool is_risk(const char *risk)
{
    return strcmp(risk, "read") == 0 || strcmp(risk, "write") == 0 || strcmp(risk, "high") == 0;
}

static bool are_secrets_sound(const struct tool_change *c, struct tool_problem *problem)
{
    size_t secret = c->secret_value != NULL ? strlen(c->secret_value) : 0;
    size_t token = c->token_value != NULL ? strlen(c->token_value) : 0;

    if (c->token_header != NULL && !is_token_header(c->token_header))
        return wrong(problem, "token_header",
                     "the name of a header that the request does not have already would be right");
    if (c->secret == TOOL_SECRET_SET &&
        (secret < SECRET_MIN || secret > SECRET_MAX || !is_header_value(c->secret_value)))
        return wrong(problem, "signing_secret", "16 to 256 ASCII characters would be right");
    if (c->token == TOOL_SECRET_SET &&
        (token < 1 || token > TOKEN_MAX || !is_header_value(c->token_value)))
        return wrong(problem, "token", "1 to 1024 ASCII characters would be right");
    return true;
}

/* What can be told of the change alone; the whole is judged by who loads it. */
static bool is_sound(const struct tool_change *c, struct tool_problem *problem)
{
    if (!is_name(c->name))
        return wrong(problem, "name", "1 to 64 letters, digits, _ and - would be right");
    if (c->description != NULL && (c->description[0] == '\0' || strlen(c->description) > 4000))
        return wrong(problem, "description", "a text of 1 to 4000 bytes would be right");
    if (c->risk != NULL && !is_risk(c->risk))
        return wrong(problem, "risk", "read, write or high would be right");
    if (c->timeout_ms >= 0 && (c->timeout_ms < 100 || c->timeout_ms > 30000))
        return wrong(problem, "timeout_ms", "100 to 30000 would be right");
    return are_secrets_sound(c, problem) && (c->url == NULL || is_url(c->url, problem)) &&
           (c->parameters == NULL || is_object(c->parameters, "parameters_schema", problem)) &&
           (c->bindings == NULL || is_object(c->bindings, "bindings", problem)) &&
           (c->config == NULL || is_object(c->config, "config", problem));
}

/* -- saving ---------------------------------------------------------------------------------- */

struct saving {
    struct db *db;
    struct arena a;
    const char *org;
    const char *vault_keys;
    const struct tool_change *change;
    struct tool_problem *problem;
    char *made;
    char id[37];
    bool makes_secret; /* to sign with */
};

/* Who knows the token may send it elsewhere, nobody else. Another receiver gets another signing
 * secret: what is signed for the one is worth nothing to the other. */
static void keep_secrets_home(struct saving *s, const PGresult *row)
{
    const char *url = db_text(row, 0, 1), *header = db_text(row, 0, 2);
    const struct tool_change *c = s->change;
    bool elsewhere = c->url != NULL && !target_same_server(url, c->url);
    bool renamed =
        c->token_header != NULL && (header == NULL || strcasecmp(header, c->token_header) != 0);

    if (db_true(row, 0, 3) && (elsewhere || renamed) && c->token == TOOL_SECRET_KEEP)
        wrong(s->problem, "token",
              "give the token again: the stored one was given for another server or header");
    s->makes_secret = c->secret == TOOL_SECRET_MAKE ||
                      (db_true(row, 0, 4) && elsewhere && c->secret == TOOL_SECRET_KEEP);
}

static enum db_status take_up_row(struct saving *s)
{
    const char *params[] = {s->org, s->change->name};
    PGresult *row;

    enum db_status status = db_exec(s->db, &take_up, params, &row);
    if (status != DB_OK)
        return status;
    bool there = PQntuples(row) == 1;
    if (there) {
        snprintf(s->id, sizeof(s->id), "%s", db_text(row, 0, 0));
        keep_secrets_home(s, row);
    }
    PQclear(row);
    return there ? DB_OK : bound_reached(s->db, BOUND_TOOLS, "tools");
}

static enum db_status write_row(struct saving *s)
{
    static const char *const words[] = {"false", "true"};
    const struct tool_change *c = s->change;
    char timeout[DB_NUMBER_SIZE];
    const char *params[] = {
        s->org,
        s->id,
        c->description,
        c->parameters,
        c->risk,
        c->url,
        c->bindings,
        c->config,
        c->token_header,
        c->timeout_ms >= 0 ? db_number(timeout, c->timeout_ms) : NULL,
        c->enabled >= 0 ? words[c->enabled != 0] : NULL,
        c->acknowledgement >= 0 ? words[c->acknowledgement != 0] : NULL,
    };

    return db_exec(s->db, &change_row, params, NULL);
}

static enum db_status write_secret(struct saving *s, const struct db_statement *statement,
                                   const char *column, enum tool_secret what, const char *value)
{
    const struct sealed_place place = {s->org, "client_tools", s->id, column};
    const char *params[] = {s->org, s->id, NULL};
    char error[256];

    if (what == TOOL_SECRET_KEEP)
        return DB_OK;
    if (what != TOOL_SECRET_REMOVE) {
        params[2] = sealed_text(&s->a, s->vault_keys, &place, value, strlen(value), error);
        if (params[2] == NULL) {
            wrong(s->problem, column, error);
            return DB_OK;
        }
    }
    return db_exec(s->db, statement, params, NULL);
}

static void make_secret(char made[TOOL_SECRET_SIZE])
{
    unsigned char bytes[SECRET_BYTES];
    char hex[2 * SECRET_BYTES + 1];

    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes));
    snprintf(made, TOOL_SECRET_SIZE, "fdts_%s", hex);
    sodium_memzero(bytes, sizeof(bytes));
    sodium_memzero(hex, sizeof(hex));
}

static enum db_status write_secrets(struct saving *s)
{
    const struct tool_change *c = s->change;
    enum tool_secret secret = s->makes_secret ? TOOL_SECRET_MAKE : c->secret;
    const char *value = c->secret_value;

    if (s->makes_secret) {
        make_secret(s->made);
        value = s->made;
    }
    enum db_status status = sealed_lock(s->db);
    if (status == DB_OK)
        status = write_secret(s, &change_secret, "signing_secret", secret, value);
    if (status == DB_OK && s->problem->field == NULL)
        status = write_secret(s, &change_token, "token", c->token, c->token_value);
    return status;
}

/* As a worker would load it. What is not enabled may lack its URL. */
static enum db_status judge(struct saving *s)
{
    struct tool tool;
    PGresult *row = NULL;

    enum db_status status =
        tool_load_named(s->db, &s->a, s->org, s->change->name, &tool, s->problem);
    if (status != DB_OK || s->problem->field == NULL || strcmp(s->problem->field, "url") != 0)
        return status;
    const char *params[] = {s->org, s->change->name};
    status = db_exec(s->db, &list, params, &row);
    if (status == DB_OK && PQntuples(row) == 1 && !db_true(row, 0, TOOLS_ENABLED))
        *s->problem = (struct tool_problem){0};
    PQclear(row);
    return status;
}

static enum db_status save(struct saving *s)
{
    enum db_status status = db_begin(s->db, s->org);

    if (status == DB_OK)
        status = take_up_row(s);
    if (status == DB_OK && s->problem->field == NULL)
        status = write_row(s);
    if (status == DB_OK && s->problem->field == NULL)
        status = write_secrets(s);
    if (status == DB_OK && s->problem->field == NULL)
        status = judge(s);
    if (status == DB_OK && s->problem->field == NULL)
        return db_commit(s->db);
    db_rollback(s->db);
    return status;
}

enum db_status tools_change(struct db *db, const char *org, const char *vault_keys,
                            const struct tool_change *change, struct tool_problem *problem,
                            char made[TOOL_SECRET_SIZE])
{
    struct saving s = {.db = db,
                       .org = org,
                       .vault_keys = vault_keys,
                       .change = change,
                       .problem = problem,
                       .made = made};
    enum db_status status = DB_OK;

    made[0] = '\0';
    *problem = (struct tool_problem){0};
    if (!is_sound(change, problem))
        return DB_OK;
    arena_init(&s.a);
    status = save(&s);
    arena_wipe(&s.a);
    if (status != DB_OK || problem->field != NULL)
        sodium_memzero(made, TOOL_SECRET_SIZE);
    return status;
}
