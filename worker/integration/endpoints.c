#include "integration/endpoints.h"
#include "integration/endpoint_check.h"

#include <stdio.h>
#include <string.h>

#define ENDPOINTS_MAX 100 /* of one integration; a model takes fewer */

static const struct db_statement find_integration = {
    "endpoints_find_integration",
    "SELECT id, type FROM client_integrations"
    " WHERE org_id = $1 AND (id::text = lower($2) OR name = $2)",
    2};
static const struct db_statement insert = {
    "endpoints_insert",
    "INSERT INTO integration_endpoints (org_id, integration_id, name, description, method, url,"
    "                                   kind, query, risk, parameters_schema, bindings, config)"
    "  SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12"
    "   WHERE (SELECT count(*) FROM integration_endpoints"
    "           WHERE org_id = $1 AND integration_id = $2) < $13"
    "  RETURNING id",
    13};
static const struct db_statement enable = {
    "endpoints_enable",
    "UPDATE integration_endpoints SET enabled = $3, revision = revision + 1"
    " WHERE org_id = $1 AND name = $2 RETURNING id",
    3};
static const struct db_statement remove_one = {
    "endpoints_remove",
    "DELETE FROM integration_endpoints WHERE org_id = $1 AND name = $2 RETURNING id", 2};
static const struct db_statement lock = {
    "endpoints_lock",
    "SELECT i.type, e.method, e.url, e.query, e.description, e.risk, e.parameters_schema,"
    "       e.bindings, e.config FROM integration_endpoints e"
    "  JOIN client_integrations i ON i.org_id = e.org_id AND i.id = e.integration_id"
    " WHERE e.org_id = $1 AND e.name = $2 FOR UPDATE OF e",
    2};
static const struct db_statement update = {
    "endpoints_update",
    "UPDATE integration_endpoints SET description = $3, method = $4, url = $5, query = $6,"
    "       risk = $7, parameters_schema = $8, bindings = $9, config = $10,"
    "       enabled = coalesce($11, enabled), revision = revision + 1"
    " WHERE org_id = $1 AND name = $2",
    11};
#define LISTED                                                                                     \
    "SELECT e.id, i.id, i.name, e.name, e.kind, e.method, e.url, e.query, e.description, e.risk,"  \
    "       e.parameters_schema, e.bindings, e.config, e.enabled, i.enabled"                       \
    "  FROM integration_endpoints e"                                                               \
    "  JOIN client_integrations i ON i.org_id = e.org_id AND i.id = e.integration_id"              \
    " WHERE e.org_id = $1"
static const struct db_statement list = {
    "endpoints_list",
    LISTED " AND ($2::text IS NULL OR i.id::text = lower($2) OR i.name = $2)"
           " ORDER BY i.name, e.name",
    2};
static const struct db_statement find_one = {"endpoints_find", LISTED " AND e.name = $2", 2};

static void set_problem(struct tool_problem *problem, const char *field, const char *text)
{
    problem->field = field;
    snprintf(problem->text, sizeof(problem->text), "%s", text);
}

/* -- making ---------------------------------------------------------------------------- */

enum db_status endpoints_insert(struct db *db, struct arena *a, const char *org,
                                const char *integration_id, enum integration_type type,
                                const struct endpoint_new *spec, struct tool_problem *problem,
                                char id[SETTINGS_ID_SIZE])
{
    char most[DB_NUMBER_SIZE];
    struct endpoint_row row;
    PGresult *made = NULL;
    enum db_status status;

    if (!endpoint_check(a, type, spec, &row, problem))
        return DB_OK;
    const char *params[] = {org,
                            integration_id,
                            row.name,
                            row.description,
                            row.method,
                            row.url,
                            row.kind,
                            row.query,
                            row.risk,
                            row.schema,
                            row.bindings,
                            row.config,
                            db_number(most, ENDPOINTS_MAX)};
    status = db_exec(db, &insert, params, &made);
    if (status == DB_OK && PQntuples(made) == 1)
        snprintf(id, SETTINGS_ID_SIZE, "%s", db_text(made, 0, 0));
    else if (status == DB_OK)
        set_problem(problem, "name", "an integration may have 100 endpoints");
    else if (status == DB_CONFLICT && strcmp(db_sqlstate(db), "23505") == 0)
        set_problem(problem, "name", "another endpoint of the organisation has this name");
    PQclear(made);
    return problem->field != NULL ? DB_OK : status;
}

/* problem->field "integration": there is none. */
static enum db_status find(struct db *db, const char *org, const char *which, char id[37],
                           enum integration_type *type, struct tool_problem *problem)
{
    const char *params[] = {org, which};
    PGresult *row = NULL;
    enum db_status status = db_exec(db, &find_integration, params, &row);

    if (status == DB_OK && PQntuples(row) == 1 && integration_type_parse(db_text(row, 0, 1), type))
        snprintf(id, 37, "%s", db_text(row, 0, 0));
    else if (status == DB_OK)
        set_problem(problem, "integration", "there is no such integration");
    PQclear(row);
    return status;
}

enum db_status endpoints_add(struct db *db, const char *org, const char *which,
                             const struct endpoint_new *spec, struct tool_problem *problem,
                             char id[SETTINGS_ID_SIZE])
{
    enum integration_type type = INTEGRATION_TYPES;
    char integration_id[37];
    struct arena a;
    enum db_status status = db_begin(db, org);

    *problem = (struct tool_problem){0};
    arena_init(&a);
    if (status == DB_OK)
        status = find(db, org, which, integration_id, &type, problem);
    if (status == DB_OK && problem->field == NULL)
        status = endpoints_insert(db, &a, org, integration_id, type, spec, problem, id);
    arena_free(&a);
    if (status == DB_OK && problem->field == NULL)
        return db_commit(db);
    db_rollback(db);
    return status;
}

/* -- changing ---------------------------------------------------------------------------- */

enum { TYPE, METHOD, URL, QUERY, DESCRIPTION, RISK, SCHEMA, BINDINGS, CONFIG };

static const char *either(const char *given, const PGresult *row, int column)
{
    return given != NULL ? given : db_text(row, 0, column);
}

/* jsonb that we wrote ourselves. */
static const struct fd_json *either_json(struct arena *a, const struct fd_json *given,
                                         const PGresult *row, int column)
{
    const char *text = db_text(row, 0, column);
    struct fd_json_fault fault;

    return given != NULL ? given
                         : fd_json_parse(text, strlen(text), (struct fd_json_limits){0},
                                         arena_allocator(a), &fault);
}

/* What only read may write with another method: then it is as careful as a new one. */
static const char *risk_of(const struct endpoint_change *change, const PGresult *row)
{
    const char *risk = either(change->risk, row, RISK);
    bool is_new = change->risk == NULL && change->method != NULL && strcmp(risk, "read") == 0;

    return is_new ? NULL : risk;
}

/* As if it were made anew with what it would be then. */
static bool check_change(struct arena *a, const char *name, const PGresult *row,
                         const struct endpoint_change *change, struct endpoint_row *to,
                         struct tool_problem *problem)
{
    enum integration_type type = INTEGRATION_TYPES;
    const struct endpoint_new spec = {
        .name = name,
        .description = either(change->description, row, DESCRIPTION),
        .risk = risk_of(change, row),
        .schema = either(change->schema, row, SCHEMA),
        .bindings = either_json(a, change->bindings, row, BINDINGS),
        .config = either_json(a, change->config, row, CONFIG),
        .query = either(change->query, row, QUERY),
        .method =
            db_text(row, 0, QUERY) != NULL ? change->method : either(change->method, row, METHOD),
        .url = db_text(row, 0, QUERY) != NULL ? change->url : either(change->url, row, URL)};

    return integration_type_parse(db_text(row, 0, TYPE), &type) &&
           endpoint_check(a, type, &spec, to, problem);
}

static enum db_status write_change(struct db *db, struct arena *a, const char *org,
                                   const char *name, const PGresult *row,
                                   const struct endpoint_change *change,
                                   struct tool_problem *problem)
{
    struct endpoint_row to;

    if (!check_change(a, name, row, change, &to, problem))
        return DB_OK;
    const char *enabled = change->enabled < 0 ? NULL : change->enabled > 0 ? "true" : "false";
    const char *params[] = {org,     name,      to.description, to.method, to.url, to.query,
                            to.risk, to.schema, to.bindings,    to.config, enabled};
    return db_exec(db, &update, params, NULL);
}

enum db_status endpoints_change(struct db *db, const char *org, const char *name,
                                const struct endpoint_change *change, struct tool_problem *problem)
{
    const char *params[] = {org, name};
    PGresult *row = NULL;
    struct arena a;
    enum db_status status = db_begin(db, org);

    *problem = (struct tool_problem){0};
    arena_init(&a);
    if (status == DB_OK)
        status = db_exec(db, &lock, params, &row);
    if (status == DB_OK && PQntuples(row) == 0)
        set_problem(problem, "endpoint", "there is no such endpoint");
    else if (status == DB_OK)
        status = write_change(db, &a, org, name, row, change, problem);
    PQclear(row);
    arena_free(&a);
    if (status == DB_OK && problem->field == NULL)
        return db_commit(db);
    db_rollback(db);
    return status;
}

/* -- the rest ----------------------------------------------------------------------------- */

enum db_status endpoints_enable(struct db *db, const char *org, const char *name, bool enabled,
                                bool *found)
{
    const char *params[] = {org, name, enabled ? "true" : "false"};

    return db_found(db, org, &enable, params, found);
}

enum db_status endpoints_remove(struct db *db, const char *org, const char *name, bool *found)
{
    const char *params[] = {org, name};

    return db_found(db, org, &remove_one, params, found);
}

void endpoints_write(struct fd_json_writer *w, const PGresult *rows, int row)
{
    static const char *const texts[] = {
        "id",  "integration_id", "integration", "name", "kind", "method",
        "url", "query",          "description", "risk"};
    static const char *const objects[] = {"parameters_schema", "bindings", "config"};
    int at = 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        fd_jw_member(w, texts[i], db_text(rows, row, at++));
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
        fd_jw_member_raw(w, objects[i], db_text(rows, row, at++));
    fd_jw_member_bool(w, "enabled", db_true(rows, row, at++));
    fd_jw_member_bool(w, "integration_enabled", db_true(rows, row, at));
}

enum db_status endpoints_list(struct db *db, const char *org, const char *which, PGresult **rows)
{
    const char *params[] = {org, which};

    return db_query(db, org, &list, params, rows);
}

enum db_status endpoints_named(struct db *db, const char *org, const char *name, PGresult **row)
{
    const char *params[] = {org, name};

    return db_query(db, org, &find_one, params, row);
}
