#include "cmd/org.h"

#include "cmd/trace.h"
#include "tenant/publish.h"

#include <stdio.h>

static const struct db_statement find = {
    "cmd_find_org",
    "SELECT org_id FROM platform_organizations() WHERE org_id::text = lower($1) OR name = $1", 1};

int cmd_complain(const char *command, const struct db *db)
{
    /* without a SQLSTATE it is an operation that explains why it refuses */
    fprintf(stderr, "frontdesk %s: %s%s\n", command,
            db_sqlstate(db)[0] != '\0' ? "PostgreSQL: " : "", db_error(db));
    return 1;
}

bool cmd_find_org(struct db *db, const char *command, const char *given, char org[37])
{
    PGresult *result;

    if (db_query(db, NULL, &find, &given, &result) != DB_OK) {
        cmd_complain(command, db);
        return false;
    }
    int count = PQntuples(result);
    if (count == 1) {
        snprintf(org, 37, "%s", db_text(result, 0, 0));
        trace_org(org);
    } else {
        fprintf(stderr, "frontdesk %s: %s \"%.100s\"\n", command,
                count == 0 ? "there is no organisation" : "use the id: there are several called",
                given);
    }
    PQclear(result);
    return count == 1;
}

void cmd_publish_org(struct db *db, const struct config *config, const char *org)
{
    char error[256];
    if (publish_org(db, config, org, error) != PUBLISH_OK) {
        fprintf(stderr,
                "warning: the change is stored but not yet in Redis (%s).\n"
                "nginx learns of it when a worker synchronises, within FRONTDESK_SYNC_MS "
                "(%d ms) of Redis being back.\n",
                error, config->sync_ms);
    }
}
