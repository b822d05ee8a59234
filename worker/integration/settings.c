#include "integration/settings.h"
#include "integration/endpoints.h"
#include "integration/preset.h"
#include "integration/spec.h"
#include "tenant/sealed.h"

#include <stdio.h>
#include <string.h>

#define TABLE            "client_integrations"
#define COLUMN           "connection_config"
#define INTEGRATIONS_MAX 50 /* of an organisation */

static const struct db_statement new_id = {"integrations_new_id", "SELECT gen_random_uuid()", 0};
static const struct db_statement insert = {
    "integrations_insert",
    "INSERT INTO client_integrations (org_id, id, type, name, base_url, auth, settings,"
    "                                 connection_config, last4)"
    "  SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9"
    "   WHERE (SELECT count(*) FROM client_integrations WHERE org_id = $1) < $10"
    "  RETURNING id",
    10};
static const struct db_statement find = {
    "integrations_find",
    "SELECT id, type, auth, settings ->> 'token_url' FROM client_integrations"
    " WHERE org_id = $1 AND (id::text = lower($2) OR name = $2) FOR UPDATE",
    2};
static const struct db_statement change_one = {
    "integrations_change",
    "UPDATE client_integrations"
    "   SET enabled = coalesce($3, enabled), settings = coalesce($4, settings),"
    "       connection_config = coalesce($5, connection_config), last4 = coalesce($6, last4),"
    "       revision = revision + 1"
    " WHERE org_id = $1 AND id = $2",
    6};
static const struct db_statement remove_one = {
    "integrations_remove",
    "DELETE FROM client_integrations"
    " WHERE org_id = $1 AND (id::text = lower($2) OR name = $2) RETURNING id",
    2};
static const struct db_statement list = {
    "integrations_list",
    "SELECT i.id, i.name, i.type, i.base_url, i.auth, i.enabled, i.settings, i.last4, i.last_test,"
    "       (SELECT count(*) FROM integration_endpoints e"
    "         WHERE e.org_id = i.org_id AND e.integration_id = i.id),"
    "       to_char(i.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    "  FROM client_integrations i"
    " WHERE i.org_id = $1 AND ($2::text IS NULL OR i.id::text = lower($2) OR i.name = $2)"
    " ORDER BY i.name",
    2};

static void set_problem(struct tool_problem *problem, const char *field, const char *text)
{
    problem->field = field;
    snprintf(problem->text, sizeof(problem->text), "%s", text);
}

/* NULL with problem->field: they cannot be sealed. NULL without: there are none. */
static const char *seal(struct arena *a, const struct config *config, const char *org,
                        const char *id, const char *credentials, struct tool_problem *problem)
{
    const struct sealed_place place = {org, TABLE, id, COLUMN};
    const char *sealed;
    char error[256];

    if (credentials == NULL)
        return NULL;
    sealed = sealed_text(a, config->vault_keys, &place, credentials, strlen(credentials), error);
    if (sealed == NULL)
        set_problem(problem, "credentials", error);
    return sealed;
}

static enum db_status finish(struct db *db, enum db_status status,
                             const struct tool_problem *problem)
{
    if (status == DB_OK && problem->field == NULL)
        return db_commit(db);
    db_rollback(db);
    return status;
}

/* -- adding ------------------------------------------------------------------------------ */

static enum db_status make_id(struct db *db, char id[SETTINGS_ID_SIZE])
{
    PGresult *row = NULL;
    enum db_status status = db_exec(db, &new_id, NULL, &row);

    if (status == DB_OK)
        snprintf(id, SETTINGS_ID_SIZE, "%s", db_text(row, 0, 0));
    PQclear(row);
    return status;
}

static enum db_status insert_row(struct db *db, struct arena *a, const struct config *config,
                                 const char *org, const struct integration_new *given,
                                 const struct integration_spec *spec, struct tool_problem *problem,
                                 const char *id)
{
    char most[DB_NUMBER_SIZE];
    const char *params[] = {org,
                            id,
                            integration_type_name(spec->type),
                            given->name,
                            spec->base_url,
                            integration_auth_name(spec->auth),
                            spec->settings,
                            seal(a, config, org, id, spec->credentials, problem),
                            spec->last4,
                            db_number(most, INTEGRATIONS_MAX)};
    PGresult *row = NULL;
    enum db_status status;

    if (problem->field != NULL)
        return DB_OK;
    status = db_exec(db, &insert, params, &row);
    if (status == DB_OK && PQntuples(row) == 0)
        set_problem(problem, "name", "an organisation may have 50 integrations");
    else if (status == DB_CONFLICT && strcmp(db_sqlstate(db), "23505") == 0)
        set_problem(problem, "name", "another integration of the organisation has this name");
    PQclear(row);
    return problem->field != NULL ? DB_OK : status;
}

static const struct fd_json *parse(struct arena *a, const char *text)
{
    struct fd_json_fault fault;

    return fd_json_parse(text, strlen(text), (struct fd_json_limits){0}, arena_allocator(a),
                         &fault);
}

static enum db_status insert_presets(struct db *db, struct arena *a, const char *org,
                                     const struct integration_new *given,
                                     enum integration_type type, const char *id,
                                     struct tool_problem *problem)
{
    const char *prefix = given->prefix != NULL ? given->prefix : integration_type_name(type);
    enum db_status status = DB_OK;

    for (size_t i = 0; i < preset_count && status == DB_OK && problem->field == NULL; i++) {
        const struct preset *p = &presets[i];
        struct endpoint_new endpoint = {.name = arena_printf(a, "%s_%s", prefix, p->name),
                                        .description = p->description,
                                        .url = p->url,
                                        .schema = p->schema,
                                        .config = parse(a, p->config)};
        char endpoint_id[SETTINGS_ID_SIZE];

        if (p->type != type)
            continue;
        status = endpoints_insert(db, a, org, id, type, &endpoint, problem, endpoint_id);
        if (problem->field != NULL && strcmp(problem->field, "name") == 0)
            set_problem(problem, "prefix",
                        "endpoints of these names are there already, or it is no name: choose "
                        "another prefix");
    }
    return status;
}

enum db_status integrations_add(struct db *db, const struct config *config, const char *org,
                                const struct integration_new *given, struct tool_problem *problem,
                                char id[SETTINGS_ID_SIZE])
{
    struct integration_spec spec;
    enum db_status status = DB_OK;
    struct arena a;

    *problem = (struct tool_problem){0};
    arena_init(&a);
    if (spec_read(&a, config->outbound_allow, given, &spec, problem)) {
        status = db_begin(db, org);
        if (status == DB_OK)
            status = sealed_lock(db);
        if (status == DB_OK)
            status = make_id(db, id);
        if (status == DB_OK)
            status = insert_row(db, &a, config, org, given, &spec, problem, id);
        if (status == DB_OK && problem->field == NULL)
            status = insert_presets(db, &a, org, given, spec.type, id, problem);
        status = finish(db, status, problem);
    }
    arena_wipe(&a);
    return status;
}

/* -- changing ------------------------------------------------------------------------------ */

struct found {
    char id[SETTINGS_ID_SIZE];
    enum integration_type type;
    enum integration_auth auth;
    char token_url[1024];
};

static enum db_status find_row(struct db *db, const char *org, const char *which,
                               struct found *found, struct tool_problem *problem)
{
    const char *params[] = {org, which};
    PGresult *row = NULL;
    enum db_status status = db_exec(db, &find, params, &row);

    if (status == DB_OK && PQntuples(row) == 1 &&
        integration_type_parse(db_text(row, 0, 1), &found->type) &&
        integration_auth_parse(db_text(row, 0, 2), &found->auth)) {
        const char *token_url = db_text(row, 0, 3);

        snprintf(found->id, sizeof(found->id), "%s", db_text(row, 0, 0));
        snprintf(found->token_url, sizeof(found->token_url), "%s",
                 token_url != NULL ? token_url : "");
    } else if (status == DB_OK) {
        set_problem(problem, "integration", "there is no such integration");
    }
    PQclear(row);
    return status;
}

/* Who knows the credentials may send them elsewhere, nobody else. */
static bool keeps_their_way(const struct found *found, const struct integration_change *change)
{
    const char *url = fd_json_string(change->settings, "token_url");

    return change->settings == NULL || change->credentials != NULL ||
           strcmp(url != NULL ? url : "", found->token_url) == 0;
}

static bool check_change(struct arena *a, const struct config *config, const struct found *found,
                         const struct integration_change *change, struct integration_spec *spec,
                         struct tool_problem *problem)
{
    if (!spec_check_settings(config->outbound_allow, found->type, change->settings, problem))
        return false;
    if (!keeps_their_way(found, change)) {
        set_problem(problem, "credentials", "with another token_url they have to be given again");
        return false;
    }
    return change->credentials == NULL ||
           spec_read_credentials(a, found->type, found->auth, change->credentials, spec, problem);
}

static const char *json_text(struct arena *a, const struct fd_json *json)
{
    const char *text = NULL;
    struct fd_json_writer w;
    struct buf out;

    if (json == NULL)
        return NULL;
    buf_init(&out, 65536);
    buf_json(&out, &w);
    fd_jw_json(&w, json);
    if (buf_json_end(&out, &w))
        text = arena_strndup(a, out.data, out.len);
    buf_free(&out);
    return text;
}

static enum db_status write_change(struct db *db, struct arena *a, const struct config *config,
                                   const char *org, const struct found *found,
                                   const struct integration_change *change,
                                   struct tool_problem *problem)
{
    struct integration_spec spec = {0};
    const char *params[] = {org, found->id, NULL, NULL, NULL, NULL};

    if (!check_change(a, config, found, change, &spec, problem))
        return DB_OK;
    params[2] = change->enabled < 0 ? NULL : change->enabled > 0 ? "true" : "false";
    params[3] = json_text(a, change->settings);
    params[4] = seal(a, config, org, found->id, spec.credentials, problem);
    params[5] = spec.last4;
    return problem->field != NULL ? DB_OK : db_exec(db, &change_one, params, NULL);
}

enum db_status integrations_change(struct db *db, const struct config *config, const char *org,
                                   const char *which, const struct integration_change *change,
                                   struct tool_problem *problem)
{
    struct found found;
    struct arena a;
    enum db_status status = db_begin(db, org);

    *problem = (struct tool_problem){0};
    arena_init(&a);
    if (status == DB_OK)
        status = sealed_lock(db);
    if (status == DB_OK)
        status = find_row(db, org, which, &found, problem);
    if (status == DB_OK && problem->field == NULL)
        status = write_change(db, &a, config, org, &found, change, problem);
    status = finish(db, status, problem);
    arena_wipe(&a);
    return status;
}

enum db_status integrations_remove(struct db *db, const char *org, const char *which, bool *found)
{
    const char *params[] = {org, which};

    return db_found(db, org, &remove_one, params, found);
}

/* -- showing --------------------------------------------------------------------------------- */

void integrations_write(struct fd_json_writer *w, const PGresult *rows, int row)
{
    static const char *const texts[] = {"id", "name", "type", "url", "auth"};
    int at = 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        fd_jw_member(w, texts[i], db_text(rows, row, at++));
    fd_jw_member_bool(w, "enabled", db_true(rows, row, at++));
    fd_jw_member_raw(w, "settings", db_text(rows, row, at++));
    fd_jw_member_raw(w, "credentials_last4", db_text(rows, row, at++));
    fd_jw_member_raw(w, "last_test", db_text(rows, row, at++));
    fd_jw_member_int(w, "endpoints", db_int(rows, row, at++, 0));
    fd_jw_member(w, "created_at", db_text(rows, row, at));
}

enum db_status integrations_list(struct db *db, const char *org, const char *which, PGresult **rows)
{
    const char *params[] = {org, which};

    return db_query(db, org, &list, params, rows);
}
