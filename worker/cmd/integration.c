/* frontdesk integration: a client's shop, API or database, and what of it the assistant
 * may call. */
#include "cmd/integration.h"
#include "cmd/cmd.h"
#include "cmd/listing.h"
#include "cmd/org.h"
#include "integration/endpoints.h"
#include "integration/journal.h"
#include "integration/probe.h"
#include "integration/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_MAX      (16u << 20)
#define CREDENTIALS_MAX 65536
#define LOG_LINES       20
#define LOG_LINES_MAX   1000

static int complain_of(const struct tool_problem *problem)
{
    fprintf(stderr, "frontdesk integration: %s: %s\n", problem->field, problem->text);
    return 1;
}

/* What PostgreSQL said, or which field is wrong; else the workers are told, and 0. */
static int changed(struct integration_command *c, enum db_status status,
                   const struct tool_problem *problem)
{
    if (status != DB_OK)
        return cmd_complain("integration", c->db);
    if (problem->field != NULL)
        return complain_of(problem);
    cmd_publish_org(c->db, c->config, c->org);
    return 0;
}

static int not_found(const char *what, const char *name)
{
    fprintf(stderr, "frontdesk integration: there is no %s \"%.100s\"\n", what, name);
    return 1;
}

/* -- JSON given and shown --------------------------------------------------------------- */

static const struct fd_json *parse(struct arena *a, const char *text, size_t len)
{
    struct fd_json_limits limits = {.depth = 24, .nodes = 200000};
    struct fd_json_fault fault;

    return fd_json_parse(text, len, limits, arena_allocator(a), &fault);
}

/* An option that holds a JSON object. */
static bool take_object(struct integration_command *c, const char *option, const char *text,
                        const struct fd_json **json)
{
    *json = text != NULL ? parse(&c->arena, text, strlen(text)) : NULL;
    if (text == NULL || (*json != NULL && (*json)->type == FD_JSON_OBJECT))
        return true;
    fprintf(stderr, "frontdesk integration: %s must be a JSON object\n", option);
    return false;
}

/* From a file or from stdin: whoever lists processes sees a command's arguments. */
static bool take_credentials(struct integration_command *c, const struct fd_json **json)
{
    char *text = arena_alloc(&c->arena, CREDENTIALS_MAX + 1);
    FILE *file;
    size_t len;

    *json = NULL;
    if (c->credentials == NULL)
        return true;
    file = strcmp(c->credentials, "-") == 0 ? stdin : fopen(c->credentials, "re");
    if (file == NULL) {
        fprintf(stderr, "frontdesk integration: cannot read %s\n", c->credentials);
        return false;
    }
    len = fread(text, 1, CREDENTIALS_MAX, file);
    text[len] = '\0';
    if (file != stdin)
        fclose(file);
    return take_object(c, "--credentials", text, json);
}

/* Prints what an operation found: as JSON, or each element by print(). Clears the rows. */
static int show(struct integration_command *c, enum db_status status, PGresult *rows,
                listing_row *write, void (*print)(const struct fd_json *element))
{
    const struct fd_json *list = NULL;
    struct buf json;

    if (status != DB_OK)
        return cmd_complain("integration", c->db);
    buf_init(&json, OUTPUT_MAX);
    bool fits = listing_write(&json, rows, write);
    if (!fits)
        fprintf(stderr, "frontdesk integration: too much for one list\n");
    else if (c->json)
        printf("%s\n", json.data);
    else
        list = parse(&c->arena, json.data, json.len);
    for (const struct fd_json *e = list != NULL ? list->child : NULL; e != NULL; e = e->next)
        print(e);
    buf_free(&json);
    PQclear(rows);
    return fits ? 0 : 1;
}

static const char *text(const struct fd_json *object, const char *name)
{
    const char *value = fd_json_string(object, name);

    return value != NULL ? value : "";
}

/* -- integrations ---------------------------------------------------------------------------- */

static void print_integration(const struct fd_json *i)
{
    const struct fd_json *test = fd_json_get(i, "last_test");
    const char *tested = fd_json_get(test, "ok") == NULL   ? "never tested"
                         : fd_json_bool(test, "ok", false) ? "tested: ok"
                                                           : "tested: failed";

    printf("%-20s %-12s %-8s %-9s %2" PRId64 " endpoints  %s  %s\n", text(i, "name"),
           text(i, "type"), text(i, "auth"), fd_json_bool(i, "enabled", false) ? "enabled" : "off",
           fd_json_int(i, "endpoints", 0), tested, text(i, "url"));
}

static int list(struct integration_command *c)
{
    PGresult *rows;

    enum db_status status = integrations_list(c->db, c->org, c->name, &rows);
    return show(c, status, rows, integrations_write, print_integration);
}

static int add(struct integration_command *c)
{
    struct integration_new spec = {.type = c->type,
                                   .name = c->name,
                                   .url = c->url,
                                   .auth = c->auth,
                                   .api_version = c->api_version,
                                   .prefix = c->prefix};
    struct tool_problem problem;
    char id[SETTINGS_ID_SIZE];
    int rc;

    if (!take_object(c, "--settings", c->settings, &spec.settings) ||
        !take_credentials(c, &spec.credentials))
        return 1;
    rc = changed(c, integrations_add(c->db, c->config, c->org, &spec, &problem, id), &problem);
    if (rc != 0)
        return rc;
    if (c->json)
        printf("{\"id\":\"%s\"}\n", id);
    else
        printf("added %s; next: frontdesk integration test, then enable\n", c->name);
    return 0;
}

static int change(struct integration_command *c, int enabled)
{
    struct integration_change spec = {.enabled = enabled};
    struct tool_problem problem;

    if (!take_object(c, "--settings", c->settings, &spec.settings) ||
        !take_credentials(c, &spec.credentials))
        return 1;
    return changed(c, integrations_change(c->db, c->config, c->org, c->name, &spec, &problem),
                   &problem);
}

static int enable(struct integration_command *c)
{
    return change(c, 1);
}

static int disable(struct integration_command *c)
{
    return change(c, 0);
}

static int set(struct integration_command *c)
{
    return change(c, -1);
}

static int remove_one(struct integration_command *c)
{
    const struct tool_problem none = {0};
    bool found;
    enum db_status status = integrations_remove(c->db, c->org, c->name, &found);

    if (status == DB_OK && !found)
        return not_found("integration", c->name);
    return changed(c, status, &none);
}

static void print_check(const struct fd_json *check)
{
    printf("%-28s %-12s", text(check, "what"), text(check, "outcome"));
    if (fd_json_int(check, "status", 0) != 0)
        printf(" HTTP %" PRId64, fd_json_int(check, "status", 0));
    printf(" %5" PRId64 " ms  %s\n", fd_json_int(check, "ms", 0), text(check, "detail"));
}

static int test(struct integration_command *c)
{
    bool ok = false;
    struct buf json;
    enum db_status status;
    const struct fd_json *outcome, *checks;

    buf_init(&json, OUTPUT_MAX);
    status = integration_probe(c->db, c->config, c->org, c->name, &ok, &json);
    if (status != DB_OK) {
        cmd_complain("integration", c->db);
    } else if (c->json) {
        printf("%s\n", json.data);
    } else {
        outcome = parse(&c->arena, json.data, json.len);
        checks = fd_json_get(outcome, "checks");
        for (const struct fd_json *e = checks != NULL ? checks->child : NULL; e != NULL;
             e = e->next)
            print_check(e);
    }
    buf_free(&json);
    return ok ? 0 : 1;
}

static void print_call(const struct fd_json *call)
{
    const char *endpoint = text(call, "endpoint");

    printf("%s  %-14s %-24s %-12s %3" PRId64 " %6" PRId64 " ms%s  %s\n", text(call, "created_at"),
           text(call, "integration"), endpoint[0] != '\0' ? endpoint : "(test)",
           text(call, "outcome"), fd_json_int(call, "status", 0), fd_json_int(call, "ms", 0),
           fd_json_bool(call, "cached", false) ? " cached" : "", text(call, "detail"));
}

static int show_log(struct integration_command *c)
{
    PGresult *rows;

    enum db_status status = journal_list(c->db, c->org, c->name, NULL, c->lines, &rows);
    return show(c, status, rows, journal_write_entry, print_call);
}

/* -- endpoints -----------------------------------------------------------------------------------
 */

static void print_endpoint(const struct fd_json *e)
{
    bool query = strcmp(text(e, "kind"), "query") == 0;

    printf("%-32s %-16s %-6s %-9s %-6s %s\n", text(e, "name"), text(e, "integration"),
           text(e, "risk"), fd_json_bool(e, "enabled", false) ? "enabled" : "off",
           query ? "query" : text(e, "method"), query ? text(e, "query") : text(e, "url"));
}

static int endpoint_list(struct integration_command *c)
{
    PGresult *rows;

    enum db_status status = endpoints_list(c->db, c->org, c->name, &rows);
    return show(c, status, rows, endpoints_write, print_endpoint);
}

static int endpoint_add(struct integration_command *c)
{
    struct endpoint_new spec = {.name = c->endpoint,
                                .description = c->description,
                                .method = c->method,
                                .url = c->url,
                                .query = c->query,
                                .risk = c->risk,
                                .schema = c->schema};
    struct tool_problem problem;
    char id[SETTINGS_ID_SIZE];
    int rc;

    if (c->endpoint == NULL)
        return cmd_usage("integration");
    if (!take_object(c, "--bindings", c->bindings, &spec.bindings) ||
        !take_object(c, "--config", c->endpoint_config, &spec.config))
        return 1;
    rc = changed(c, endpoints_add(c->db, c->org, c->name, &spec, &problem, id), &problem);
    if (rc == 0 && c->json)
        printf("{\"id\":\"%s\"}\n", id);
    return rc;
}

static int endpoint_change(struct integration_command *c, enum db_status status, bool found)
{
    const struct tool_problem none = {0};

    if (status == DB_OK && !found)
        return not_found("endpoint", c->name);
    return changed(c, status, &none);
}

static int endpoint_enable(struct integration_command *c)
{
    bool found;
    enum db_status status = endpoints_enable(c->db, c->org, c->name, true, &found);

    return endpoint_change(c, status, found);
}

static int endpoint_disable(struct integration_command *c)
{
    bool found;
    enum db_status status = endpoints_enable(c->db, c->org, c->name, false, &found);

    return endpoint_change(c, status, found);
}

static int endpoint_remove(struct integration_command *c)
{
    bool found;
    enum db_status status = endpoints_remove(c->db, c->org, c->name, &found);

    return endpoint_change(c, status, found);
}

/* -- which
 * -------------------------------------------------------------------------------------------- */

static const struct {
    const char *group, *verb;
    bool named; /* it needs a name */
    int (*run)(struct integration_command *c);
} verbs[] = {
    {"", "add", true, add},
    {"", "list", false, list},
    {"", "set", true, set},
    {"", "test", true, test},
    {"", "enable", true, enable},
    {"", "disable", true, disable},
    {"", "remove", true, remove_one},
    {"", "log", false, show_log},
    {"endpoint", "add", true, endpoint_add},
    {"endpoint", "list", false, endpoint_list},
    {"endpoint", "enable", true, endpoint_enable},
    {"endpoint", "disable", true, endpoint_disable},
    {"endpoint", "remove", true, endpoint_remove},
};

/* The log is by id: a name is looked up. */
static bool find_id(struct integration_command *c)
{
    PGresult *row;
    bool found = false;

    if (c->name == NULL || strcmp(c->verb, "log") != 0)
        return true;
    if (integrations_list(c->db, c->org, c->name, &row) != DB_OK) {
        cmd_complain("integration", c->db);
        return false;
    }
    found = PQntuples(row) > 0;
    if (found)
        c->name = arena_strdup(&c->arena, db_text(row, 0, INTEGRATIONS_ID));
    else
        not_found("integration", c->name);
    PQclear(row);
    return found;
}

int cmd_integration(int argc, char **argv, const struct config *config)
{
    struct integration_command c = {.config = config, .lines = LOG_LINES};
    int rc = -1;

    arena_init(&c.arena);
    if (!integration_command_parse(argc, argv, &c) || c.lines < 1 || c.lines > LOG_LINES_MAX)
        return cmd_usage("integration");
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].group, c.group) != 0 || strcmp(verbs[i].verb, c.verb) != 0 ||
            (verbs[i].named && c.name == NULL))
            continue;
        c.db = db_new(config->database_url, "frontdesk integration");
        rc = cmd_find_org(c.db, "integration", c.given_org, c.org) && find_id(&c) ? verbs[i].run(&c)
                                                                                  : 1;
        db_free(c.db);
    }
    arena_wipe(&c.arena);
    return rc >= 0 ? rc : cmd_usage("integration");
}
