/* frontdesk key create|list|rotate|revoke: API keys, and Redis told at once. */
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "cmd/trace.h"
#include "core/buf.h"
#include "db/db.h"
#include "tenant/keys.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGINS_MAX       50
#define DEFAULT_OVERLAP_S 86400

static const struct db_statement list_orgs = {
    "key_list_orgs",
    "SELECT org_id, name FROM platform_organizations() WHERE $1::text IS NULL OR org_id::text = $1"
    " ORDER BY name",
    1};
static const struct db_statement find_key = {
    "key_find_key", "SELECT org_id FROM platform_live_keys() WHERE key_id::text = lower($1)", 1};
struct key_command {
    const struct config *config;
    struct db *db;
    const char *verb;
    const char *org; /* as given: an id or a name */
    const char *name;
    const char *kind;
    const char *scope;
    const char *id;
    const char *origins[ORIGINS_MAX];
    size_t origin_count;
    int64_t overlap_s;
    bool json;
};

static int complain(const char *text)
{
    fprintf(stderr, "frontdesk key: %s\n", text);
    return 1;
}

static bool parse_duration(const char *text, int64_t *seconds)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    char *end;

    long long number = strtoll(text, &end, 10);
    if (end == text || number < 0 || number > 7776000) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].unit) == 0) {
            *seconds = number * units[i].seconds;
            return true;
        }
    }
    return false;
}

static bool parse(int argc, char **argv, struct key_command *c)
{
    static const struct option known[] = {
        {"org", required_argument, NULL, 'g'},    {"name", required_argument, NULL, 'n'},
        {"kind", required_argument, NULL, 'k'},   {"scope", required_argument, NULL, 's'},
        {"origin", required_argument, NULL, 'o'}, {"overlap", required_argument, NULL, 'v'},
        {"json", no_argument, NULL, 'j'},         {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'g': c->org = optarg; break;
        case 'n': c->name = optarg; break;
        case 'k': c->kind = optarg; break;
        case 's': c->scope = optarg; break;
        case 'j': c->json = true; break;
        case 'o':
            if (c->origin_count == ORIGINS_MAX) {
                return false;
            }
            c->origins[c->origin_count++] = optarg;
            break;
        case 'v':
            if (!parse_duration(optarg, &c->overlap_s)) {
                return false;
            }
            break;
        default: return false;
        }
    }
    c->verb = optind < argc ? argv[optind++] : "";
    c->id = optind < argc ? argv[optind++] : NULL;
    return optind == argc;
}

/* The organisation of a live key. */
static bool find_owner(const struct key_command *c, char org[37])
{
    PGresult *result;

    if (db_query(c->db, NULL, &find_key, &c->id, &result) != DB_OK) {
        cmd_complain("key", c->db);
        return false;
    }
    bool found = PQntuples(result) == 1;
    if (found) {
        snprintf(org, 37, "%s", db_text(result, 0, 0));
        trace_org(org);
    } else {
        fprintf(stderr, "frontdesk key: there is no live key \"%.100s\"\n", c->id);
    }
    PQclear(result);
    return found;
}

static int print_key(const struct key_command *c, const char *org, const char *id, const char *key)
{
    if (c->json) {
        printf("{\"org_id\":\"%s\",\"id\":\"%s\",\"key\":\"%s\"}\n", org, id, key);
    } else {
        printf("%s\n", key);
        fprintf(stderr, "key %s; it is not shown again\n", id);
    }
    return 0;
}

static int create(struct key_command *c)
{
    char org[37], key[FD_API_KEY_SIZE], id[37];

    if (c->org == NULL || c->name == NULL || c->kind == NULL || c->id != NULL ||
        (strcmp(c->kind, "pk") != 0 && strcmp(c->kind, "sk") != 0)) {
        return cmd_usage("key");
    }
    if (!cmd_find_org(c->db, "key", c->org, org)) {
        return 1;
    }
    const struct key_new spec = {.org = org,
                                 .name = c->name,
                                 .kind = c->kind[0] == 's' ? FD_KEY_SECRET : FD_KEY_PUBLISHABLE,
                                 .origins = c->origins,
                                 .origin_count = c->origin_count,
                                 .scope = c->scope};
    if (keys_create(c->db, &spec, key, id) != DB_OK) {
        return cmd_complain("key", c->db);
    }
    cmd_publish_org(c->db, c->config, org);
    return print_key(c, org, id, key);
}

static int rotate(struct key_command *c)
{
    char org[37], key[FD_API_KEY_SIZE], id[37];

    if (c->id == NULL) {
        return cmd_usage("key");
    }
    if (!find_owner(c, org)) {
        return 1;
    }
    if (keys_rotate(c->db, org, c->id, c->overlap_s, key, id) != DB_OK) {
        return cmd_complain("key", c->db);
    }
    cmd_publish_org(c->db, c->config, org);
    return print_key(c, org, id, key);
}

static int revoke(struct key_command *c)
{
    char org[37], sha256[FD_SHA256_HEX_SIZE];

    if (c->id == NULL) {
        return cmd_usage("key");
    }
    if (!find_owner(c, org)) {
        return 1;
    }
    if (keys_revoke(c->db, org, c->id, sha256) != DB_OK) {
        return cmd_complain("key", c->db);
    }
    cmd_publish_org(c->db, c->config, org);
    if (c->json) {
        printf("{\"org_id\":\"%s\",\"id\":\"%s\",\"status\":\"revoked\"}\n", org, c->id);
    } else {
        printf("revoked %s\n", c->id);
    }
    return 0;
}

static void print_row(const struct key_command *c, struct fd_json_writer *w, const char *org,
                      const char *org_name, const PGresult *keys, int row)
{
    static const char *const members[] = {"id",         "name",       "kind",   "last4", "origins",
                                          "created_at", "expires_at", "status", "scope"};
    if (!c->json) {
        printf("%s  %-20s  %s ...%s  %-8s  %s  %s\n", db_text(keys, row, 0), db_text(keys, row, 1),
               db_text(keys, row, 2), db_text(keys, row, 3), db_text(keys, row, 7), org_name,
               db_text(keys, row, 4));
        return;
    }
    fd_jw_object(w);
    fd_jw_member(w, "org_id", org);
    for (int i = 0; i < KEY_COLUMNS; i++) {
        fd_jw_member(w, members[i], db_text(keys, row, i));
    }
    fd_jw_end_object(w);
}

static enum db_status list_org(struct key_command *c, struct fd_json_writer *w, const char *org,
                               const char *org_name)
{
    PGresult *keys;

    enum db_status status = keys_list(c->db, org, NULL, INT_MAX, &keys);
    if (status == DB_OK) {
        for (int row = 0; row < PQntuples(keys); row++) {
            print_row(c, w, org, org_name, keys, row);
        }
        PQclear(keys);
    }
    return status;
}

static int list(struct key_command *c)
{
    char org[37];
    const char *only;
    PGresult *orgs = NULL;
    struct buf json;
    struct fd_json_writer w;
    enum db_status status;

    if (c->id != NULL) {
        return cmd_usage("key");
    }
    if (c->org != NULL && !cmd_find_org(c->db, "key", c->org, org)) {
        return 1;
    }
    only = c->org != NULL ? org : NULL;
    status = db_query(c->db, NULL, &list_orgs, &only, &orgs);
    buf_init(&json, 64u << 20);
    buf_json(&json, &w);
    fd_jw_array(&w);
    for (int row = 0; status == DB_OK && row < PQntuples(orgs); row++) {
        status = list_org(c, &w, db_text(orgs, row, 0), db_text(orgs, row, 1));
    }
    fd_jw_end_array(&w);
    bool fits = buf_json_end(&json, &w);
    if (status == DB_OK && c->json && fits) {
        printf("%s\n", json.data);
    }
    PQclear(orgs);
    buf_free(&json);
    if (status != DB_OK) {
        return cmd_complain("key", c->db);
    }
    return fits ? 0 : complain("too many keys for one list: name an organisation with --org");
}

int cmd_key(int argc, char **argv, const struct config *config)
{
    static const struct {
        const char *verb;
        int (*run)(struct key_command *c);
    } verbs[] = {{"create", create}, {"list", list}, {"rotate", rotate}, {"revoke", revoke}};
    struct key_command c = {.config = config, .overlap_s = DEFAULT_OVERLAP_S};

    if (!parse(argc, argv, &c)) {
        return cmd_usage("key");
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(c.verb, verbs[i].verb) == 0) {
            c.db = db_new(config->database_url, "frontdesk key");
            int rc = verbs[i].run(&c);
            db_free(c.db);
            return rc;
        }
    }
    return cmd_usage("key");
}
