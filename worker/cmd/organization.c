/* frontdesk org list|create|show|set|disable|enable: tenants (ADM-2). */
#include "cmd/cmd.h"
#include "cmd/trace.h"
#include "cmd/org.h"
#include "core/buf.h"
#include "tenant/audit.h"
#include "tenant/organization.h"

#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PAGE 200

struct org_command {
    const struct config *config;
    struct db *db;
    const char *verb;
    const char *name;
    struct organization_new made;
    struct organization_change change;
    struct organization_query query;
    const char *origins[ORGANIZATION_ORIGINS_MAX];
    bool json;
};

static bool add_origin(struct org_command *c, const char *origin)
{
    if (c->made.origin_count == ORGANIZATION_ORIGINS_MAX)
        return false;
    c->origins[c->made.origin_count++] = origin;
    return true;
}

static bool parse(int argc, char **argv, struct org_command *c)
{
    static const struct option known[] = {{"name", required_argument, NULL, 'n'},
                                          {"domain", required_argument, NULL, 'd'},
                                          {"plan", required_argument, NULL, 'p'},
                                          {"language", required_argument, NULL, 'l'},
                                          {"origin", required_argument, NULL, 'o'},
                                          {"search", required_argument, NULL, 'q'},
                                          {"status", required_argument, NULL, 's'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'n': c->change.name = optarg; break;
        case 'd': c->change.domain = optarg; break;
        case 'p': c->change.plan = optarg; break;
        case 'l': c->made.language = optarg; break;
        case 'q': c->query.words = optarg; break;
        case 's': c->query.status = optarg; break;
        case 'j': c->json = true; break;
        case 'o':
            if (!add_origin(c, optarg))
                return false;
            break;
        default: return false;
        }
    }
    c->verb = optind < argc ? argv[optind++] : "";
    c->name = optind < argc ? argv[optind++] : NULL;
    return optind == argc;
}

/* Options that the verb has no use for. */
static bool asks(const struct org_command *c)
{
    return c->query.words != NULL || c->query.status != NULL;
}

static bool makes(const struct org_command *c)
{
    return c->made.language != NULL || c->made.origin_count > 0;
}

static bool changes(const struct org_command *c)
{
    return c->change.name != NULL || c->change.domain != NULL || c->change.plan != NULL;
}

static void note(const struct org_command *c, const char *org, const char *action, const char *verb)
{
    const struct audit_entry entry = {.org = org,
                                      .actor = trace_actor(),
                                      .action = action,
                                      .target = org,
                                      .deed = {"organization", verb},
                                      .thing = "organization"};

    if (audit_write(c->db, &entry) != DB_OK)
        fprintf(stderr, "warning: no audit row was written: %s\n", db_error(c->db));
}

/* -- showing ------------------------------------------------------------------------------- */

static void write_row(struct fd_json_writer *w, const PGresult *rows, int row)
{
    static const char *const members[] = {"id", "name", "domain", "plan", "status", "created_at"};

    fd_jw_object(w);
    for (int i = ORGANIZATION_ID; i <= ORGANIZATION_CREATED_AT; i++)
        fd_jw_member(w, members[i], db_text(rows, row, i));
    fd_jw_member_int(w, "conversations_30d", db_int(rows, row, ORGANIZATION_CONVERSATIONS_30D, 0));
    fd_jw_key(w, "cost_usd_month");
    fd_jw_double(w, (double)db_int(rows, row, ORGANIZATION_COST_MICRO_MONTH, 0) / 1e6);
    fd_jw_end_object(w);
}

static void print_row(const PGresult *rows, int row)
{
    const char *domain = db_text(rows, row, ORGANIZATION_DOMAIN);

    printf("%s  %-8s  %-8s  %-30s  %s\n", db_text(rows, row, ORGANIZATION_ID),
           db_text(rows, row, ORGANIZATION_STATUS), db_text(rows, row, ORGANIZATION_PLAN),
           db_text(rows, row, ORGANIZATION_NAME), domain != NULL ? domain : "");
}

/* The page after *page, in its place: the query points into it. */
static enum db_status list_page(struct org_command *c, struct fd_json_writer *w, PGresult **page,
                                int *rows)
{
    PGresult *before = *page;

    enum db_status status = organization_list(c->db, &c->query, PAGE, page);
    PQclear(before);
    if (status != DB_OK)
        return status;
    *rows = PQntuples(*page);
    for (int row = 0; row < *rows; row++) {
        if (c->json)
            write_row(w, *page, row);
        else
            print_row(*page, row);
    }
    if (*rows > 0) {
        c->query.after_name = db_text(*page, *rows - 1, ORGANIZATION_NAME);
        c->query.after_id = db_text(*page, *rows - 1, ORGANIZATION_ID);
    }
    return DB_OK;
}

static int list(struct org_command *c)
{
    struct fd_json_writer w;
    struct buf json;
    PGresult *page = NULL;
    int rows = PAGE;
    enum db_status status = DB_OK;

    if (c->name != NULL || makes(c) || changes(c))
        return cmd_usage("org");
    buf_init(&json, 64u << 20);
    buf_json(&json, &w);
    fd_jw_array(&w);
    while (status == DB_OK && rows == PAGE)
        status = list_page(c, &w, &page, &rows);
    PQclear(page);
    fd_jw_end_array(&w);
    if (buf_json_end(&json, &w) && c->json && status == DB_OK)
        printf("%s\n", json.data);
    buf_free(&json);
    return status == DB_OK ? 0 : cmd_complain("org", c->db);
}

static int show_id(struct org_command *c, const char *org)
{
    struct fd_json_writer w;
    struct buf json;
    PGresult *row;

    if (organization_get(c->db, org, &row) != DB_OK)
        return cmd_complain("org", c->db);
    if (c->json && PQntuples(row) == 1) {
        buf_init(&json, 1u << 20);
        buf_json(&json, &w);
        write_row(&w, row, 0);
        if (buf_json_end(&json, &w))
            printf("%s\n", json.data);
        buf_free(&json);
    } else if (PQntuples(row) == 1) {
        print_row(row, 0);
    }
    PQclear(row);
    return 0;
}

static int show(struct org_command *c)
{
    char org[37];

    if (c->name == NULL || asks(c) || makes(c) || changes(c))
        return cmd_usage("org");
    return cmd_find_org(c->db, "org", c->name, org) ? show_id(c, org) : 1;
}

/* -- making and changing ------------------------------------------------------------------- */

static int create(struct org_command *c)
{
    struct organization_keys keys;
    char id[37];

    if (c->name == NULL || asks(c) || c->change.name != NULL)
        return cmd_usage("org");
    c->made.name = c->name;
    c->made.domain = c->change.domain;
    c->made.plan = c->change.plan;
    c->made.origins = c->origins;
    if (organization_create(c->db, &c->made, id, &keys) != DB_OK)
        return cmd_complain("org", c->db);
    note(c, id, "org create", "create");
    cmd_publish_org(c->db, c->config, id);
    if (c->json) {
        printf("{\"id\":\"%s\",\"publishable_key\":\"%s\",\"secret_key\":\"%s\"}\n", id,
               keys.publishable, keys.secret);
    } else {
        printf("%s\n%s\n%s\n", id, keys.publishable, keys.secret);
        fprintf(stderr, "the organisation, its publishable key, and its secret key: that one is "
                        "not shown again\n");
    }
    sodium_memzero(&keys, sizeof(keys));
    return 0;
}

static int change(struct org_command *c, const char *action, const char *verb)
{
    char org[37];
    bool found;

    if (!cmd_find_org(c->db, "org", c->name, org))
        return 1;
    if (organization_change(c->db, org, &c->change, &found) != DB_OK)
        return cmd_complain("org", c->db);
    note(c, org, action, verb);
    cmd_publish_org(c->db, c->config, org);
    return show_id(c, org);
}

static int set(struct org_command *c)
{
    if (c->name == NULL || asks(c) || makes(c) || !changes(c))
        return cmd_usage("org");
    if (c->change.domain != NULL && strcmp(c->change.domain, "none") == 0)
        c->change.domain = "";
    return change(c, "org set", "change");
}

static int set_status(struct org_command *c, const char *status, const char *action,
                      const char *verb)
{
    if (c->name == NULL || asks(c) || makes(c) || changes(c))
        return cmd_usage("org");
    c->change.status = status;
    return change(c, action, verb);
}

static int disable(struct org_command *c)
{
    return set_status(c, "disabled", "org disable", "disable");
}

static int enable(struct org_command *c)
{
    return set_status(c, "active", "org enable", "enable");
}

int cmd_org(int argc, char **argv, const struct config *config)
{
    static const struct {
        const char *verb;
        int (*run)(struct org_command *c);
    } verbs[] = {{"list", list}, {"create", create},   {"show", show},
                 {"set", set},   {"disable", disable}, {"enable", enable}};
    struct org_command c = {.config = config};

    if (!parse(argc, argv, &c))
        return cmd_usage("org");
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(c.verb, verbs[i].verb) != 0)
            continue;
        c.db = db_new(config->database_url, "frontdesk org");
        int rc = verbs[i].run(&c);
        db_free(c.db);
        return rc;
    }
    return cmd_usage("org");
}
