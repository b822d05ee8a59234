#include "tool/set.h"

#include "core/log.h"
#include "tenant/sealed.h"
#include "tool/bind.h"
#include "tool/line.h"
#include "tool/schema.h"
#include "tool/webhook.h"

#include <stdio.h>
#include <string.h>

#define INTEGRATION_MS 30000

/* An organisation's own description, schema and risk come before the catalogue's. */
#define WEBHOOK_COLUMNS                                                                            \
    "SELECT c.id, c.tool_name, coalesce(c.description, t.description),"                            \
    "       coalesce(c.parameters_schema, t.parameters_schema), c.bindings,"                       \
    "       coalesce(c.risk, t.risk, 'write'), 'webhook', c.custom_config, c.timeout_ms,"          \
    "       c.n8n_webhook_url, c.acknowledgement, c.token_header, c.signing_secret, c.token"       \
    "  FROM client_tools c LEFT JOIN tools t USING (tool_name)"

static const struct db_statement load_webhooks = {
    "tool_set_webhooks",
    WEBHOOK_COLUMNS " WHERE c.org_id = $1 AND c.enabled ORDER BY c.tool_name LIMIT 200", 1};
static const struct db_statement load_webhook_named = {
    "tool_set_webhook", WEBHOOK_COLUMNS " WHERE c.org_id = $1 AND c.tool_name = $2", 2};
static const struct db_statement load_integrations = {
    "tool_set_integrations",
    "SELECT id, name, description, parameters_schema, bindings, risk, kind, config, NULL,"
    "       NULL, NULL, NULL, NULL, NULL"
    "  FROM integration_tools WHERE org_id = $1 ORDER BY kind, name LIMIT 200",
    1};
static const struct db_statement load_endpoint_named = {
    "tool_set_endpoint",
    "SELECT id, name, description, parameters_schema, bindings, risk, kind, config, NULL,"
    "       NULL, NULL, NULL, NULL, NULL"
    "  FROM integration_endpoints WHERE org_id = $1 AND name = $2",
    2};

enum column {
    ID,
    NAME,
    DESCRIPTION,
    SCHEMA,
    BINDINGS,
    RISK,
    KIND,
    CONFIG,
    TIMEOUT,
    URL,
    ACKNOWLEDGEMENT,
    TOKEN_HEADER,
    SECRET,
    TOKEN
};

struct loading {
    struct arena *a;
    const char *org;
    const PGresult *rows;
    int row;
    struct tool_problem problem;
    bool stale; /* the vault's keys changed meanwhile */
};

static const char *vault_keys;

void tool_use_vault(const char *keys)
{
    vault_keys = keys;
}

static const char *const risk_names[] = {"read", "write", "high"};
static const char *const kind_names[] = {"webhook", "endpoint", "query"};

const char *tool_risk_name(enum tool_risk risk)
{
    return risk_names[risk];
}

const struct tool *tool_find(const struct tool_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->list[i].name, name) == 0)
            return &set->list[i];
    }
    return NULL;
}

static unsigned index_of(const char *name, const char *const *names, unsigned count)
{
    unsigned i = 0;

    while (i < count && strcmp(names[i], name) != 0)
        i++;
    return i;
}

static bool wrong(struct loading *l, const char *field, const char *text)
{
    l->problem.field = field;
    snprintf(l->problem.text, sizeof(l->problem.text), "%s", text);
    return false;
}

static bool wrong_schema(struct loading *l, const struct tool_schema_fault *fault)
{
    struct line line;

    l->problem.field = "parameters_schema";
    line_init(&line, l->problem.text, sizeof(l->problem.text));
    line_add(&line, "%s: %s", fault->where, fault->text);
    return false;
}

/* -- one row --------------------------------------------------------------------------------- */

static const char *cell(const struct loading *l, enum column column)
{
    return arena_strdup(l->a, db_text(l->rows, l->row, (int)column));
}

static const struct fd_json *json(struct loading *l, enum column column)
{
    const struct fd_json_limits limits = {TOOL_SCHEMA_DEPTH, TOOL_SCHEMA_NODES};
    const char *text = db_text(l->rows, l->row, (int)column);
    struct fd_json_fault fault;

    if (text == NULL)
        return NULL;
    return fd_json_parse(text, strlen(text), limits, arena_allocator(l->a), &fault);
}

static bool load_schema(struct loading *l, struct tool *tool)
{
    const char *text = db_text(l->rows, l->row, SCHEMA);
    const struct fd_json *schema, *stripped;
    struct tool_schema_fault fault;
    char error[256];

    if (text == NULL || tool->description == NULL)
        return wrong(l, text == NULL ? "parameters_schema" : "description",
                     "a tool that is not in the catalogue needs a description and a schema");
    if (!bindings_read(l->a, json(l, BINDINGS), &tool->bindings, &tool->binding_count, error))
        return wrong(l, "bindings", error);
    if (tool_schema_read(l->a, text, strlen(text), &schema, &fault) == NULL)
        return wrong_schema(l, &fault);
    tool->parameters = bindings_strip(l->a, schema, tool->bindings, tool->binding_count, error);
    if (tool->parameters == NULL)
        return wrong(l, "bindings", error);
    tool->schema =
        tool_schema_read(l->a, tool->parameters, strlen(tool->parameters), &stripped, &fault);
    return tool->schema != NULL || wrong_schema(l, &fault);
}

static bool open_secret(struct loading *l, const struct tool *tool, enum column column,
                        const char *name, const char **plain)
{
    const struct sealed_place place = {l->org, "client_tools", tool->id, name};
    const char *sealed = db_text(l->rows, l->row, (int)column);
    char error[256], *opened;
    size_t len;

    if (sealed == NULL)
        return true;
    enum sealed_result result = sealed_open(l->a, vault_keys, &place, sealed, &opened, &len, error);
    l->stale = l->stale || result == SEALED_STALE;
    if (result != SEALED_OK)
        return wrong(l, name, error);
    *plain = opened;
    return true;
}

static bool load_webhook(struct loading *l, struct tool *tool)
{
    struct tool_webhook *hook = arena_zalloc(l->a, sizeof(*hook));

    tool->url = cell(l, URL);
    tool->webhook = hook;
    hook->token_header = cell(l, TOKEN_HEADER);
    hook->acknowledgement = db_true(l->rows, l->row, ACKNOWLEDGEMENT);
    return open_secret(l, tool, SECRET, "signing_secret", &hook->secret) &&
           open_secret(l, tool, TOKEN, "token", &hook->token) &&
           (tool->url != NULL || wrong(l, "url", "the webhook's URL is needed"));
}

static bool load_row(struct loading *l, struct tool *tool)
{
    unsigned risk = index_of(db_text(l->rows, l->row, RISK), risk_names, TOOL_HIGH + 1);
    unsigned kind = index_of(db_text(l->rows, l->row, KIND), kind_names, TOOL_KINDS);

    *tool = (struct tool){
        .id = cell(l, ID),
        .name = cell(l, NAME),
        .description = cell(l, DESCRIPTION),
        .risk = (enum tool_risk)risk,
        .kind = (enum tool_kind)kind,
        .timeout_ms = (int)db_int(l->rows, l->row, TIMEOUT, INTEGRATION_MS),
        .config = json(l, CONFIG),
    };
    if (risk > TOOL_HIGH || kind >= TOOL_KINDS)
        return wrong(l, "risk", "its risk or its kind is not known");
    return load_schema(l, tool) && (tool->kind != TOOL_WEBHOOK || load_webhook(l, tool));
}

/* -- all ------------------------------------------------------------------------------------- */

/* False: secrets are to be read again, once. */
static bool load_rows(struct arena *a, const char *org, const PGresult *rows, struct tool_set *set,
                      struct tool *list)
{
    const struct log_context context = {.org_id = org};
    bool stale = false;

    for (int row = 0; row < PQntuples(rows); row++) {
        struct loading l = {.a = a, .org = org, .rows = rows, .row = row};
        const char *name = db_text(rows, row, NAME);
        bool usable = tool_find(set, name) == NULL ? load_row(&l, &list[set->count])
                                                   : wrong(&l, "name", "another tool has it");
        stale = stale || l.stale;
        if (usable)
            set->count++;
        else
            log_warn(&context, "tool.unusable", LOG_STR("tool", name),
                     LOG_STR("field", l.problem.field), LOG_STR("why", l.problem.text));
    }
    return !stale;
}

static enum db_status load(struct db *db, struct arena *a, const char *org, struct tool_set *set,
                           bool *fresh)
{
    PGresult *webhooks = NULL, *integrations = NULL;

    *set = (struct tool_set){0};
    enum db_status status = db_query(db, org, &load_webhooks, &org, &webhooks);
    if (status == DB_OK)
        status = db_query(db, org, &load_integrations, &org, &integrations);
    if (status == DB_OK) {
        size_t rows = (size_t)PQntuples(webhooks) + (size_t)PQntuples(integrations);
        struct tool *list = arena_alloc(a, (rows + 1) * sizeof(*list));
        set->list = list;
        *fresh = load_rows(a, org, webhooks, set, list);
        load_rows(a, org, integrations, set, list);
    }
    PQclear(webhooks);
    PQclear(integrations);
    return status;
}

enum db_status tool_set_load(struct db *db, struct arena *a, const char *org, struct tool_set *set)
{
    bool fresh = true;

    enum db_status status = load(db, a, org, set, &fresh);
    if (status == DB_OK && !fresh)
        status = load(db, a, org, set, &fresh);
    return status;
}

static void take_named(struct arena *a, const char *org, const PGresult *rows, struct tool *tool,
                       struct tool_problem *problem)
{
    struct loading l = {.a = a, .org = org, .rows = rows};

    *tool = (struct tool){0};
    *problem = (struct tool_problem){0};
    if (PQntuples(rows) == 1 && !load_row(&l, tool))
        *problem = l.problem;
}

enum db_status tool_load_named(struct db *db, struct arena *a, const char *org, const char *name,
                               struct tool *tool, struct tool_problem *problem)
{
    const char *params[] = {org, name};
    PGresult *rows;

    enum db_status status = db_exec(db, &load_webhook_named, params, &rows);
    if (status == DB_OK)
        take_named(a, org, rows, tool, problem);
    PQclear(rows);
    return status;
}

enum db_status tool_load_endpoint(struct db *db, struct arena *a, const char *org, const char *name,
                                  struct tool *tool, struct tool_problem *problem)
{
    const char *params[] = {org, name};
    PGresult *rows;

    enum db_status status = db_query(db, org, &load_endpoint_named, params, &rows);
    if (status == DB_OK)
        take_named(a, org, rows, tool, problem);
    PQclear(rows);
    return status;
}
