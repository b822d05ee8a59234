/* frontdesk identity create|list|revoke: secrets that prove who a site's visitors are. */
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "tenant/identity_secret.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

struct identity_command {
    const struct config *config;
    struct db *db;
    const char *org; /* as given: an id or a name */
    char org_id[37];
    const char *id; /* of revoke */
};

static int create(const struct identity_command *c)
{
    char secret[IDENTITY_SECRET_SIZE], id[37];
    if (c->id != NULL)
        return cmd_usage("identity");
    if (identity_secret_create(c->db, c->config->vault_keys, c->org_id, secret, id) != DB_OK)
        return cmd_complain("identity", c->db);
    printf("%s\n", secret);
    fprintf(stderr, "identity secret %s; it is not shown again\n", id);
    sodium_memzero(secret, sizeof(secret));
    return 0;
}

static int list(const struct identity_command *c)
{
    PGresult *rows;
    if (c->id != NULL)
        return cmd_usage("identity");
    if (identity_secret_list(c->db, c->org_id, &rows) != DB_OK)
        return cmd_complain("identity", c->db);
    for (int row = 0; row < PQntuples(rows); row++)
        printf("%s  ...%s  %s\n", db_text(rows, row, IDENTITY_SECRET_ID),
               db_text(rows, row, IDENTITY_SECRET_LAST4),
               db_text(rows, row, IDENTITY_SECRET_CREATED));
    PQclear(rows);
    return 0;
}

static int revoke(const struct identity_command *c)
{
    bool found;
    if (c->id == NULL)
        return cmd_usage("identity");
    if (identity_secret_revoke(c->db, c->org_id, c->id, &found) != DB_OK)
        return cmd_complain("identity", c->db);
    if (!found) {
        fprintf(stderr, "frontdesk identity: there is no identity secret \"%.100s\"\n", c->id);
        return 1;
    }
    printf("revoked %s\n", c->id);
    return 0;
}

int cmd_identity(int argc, char **argv, const struct config *config)
{
    static const struct option known[] = {{"org", required_argument, NULL, 'g'}, {0}};
    static const struct {
        const char *verb;
        int (*run)(const struct identity_command *c);
    } verbs[] = {{"create", create}, {"list", list}, {"revoke", revoke}};
    struct identity_command c = {.config = config};
    int option, rc = -1;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option != 'g')
            return cmd_usage("identity");
        c.org = optarg;
    }
    const char *verb = optind < argc ? argv[optind++] : "";
    c.id = optind < argc ? argv[optind++] : NULL;
    if (c.org == NULL || optind != argc)
        return cmd_usage("identity");
    c.db = db_new(config->database_url, "frontdesk identity");
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]) && rc < 0; i++) {
        if (strcmp(verb, verbs[i].verb) == 0)
            rc = cmd_find_org(c.db, "identity", c.org, c.org_id) ? verbs[i].run(&c) : 1;
    }
    db_free(c.db);
    return rc < 0 ? cmd_usage("identity") : rc;
}
