#include "cmd/trace.h"

#include "core/arena.h"
#include "db/db.h"
#include "tenant/audit.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 3

static char found_org[37];

/* What changes something for an organisation; `frontdesk org` and `frontdesk user` tell more, and
 * write their own. */
static const char *const changing[] = {
    "approvals approve",
    "approvals decline",
    "budget set",
    "conversations export",
    "identity create",
    "identity revoke",
    "integration add",
    "integration disable",
    "integration enable",
    "integration endpoint add",
    "integration endpoint disable",
    "integration endpoint enable",
    "integration endpoint remove",
    "integration remove",
    "integration set",
    "integration test",
    "key create",
    "key revoke",
    "key rotate",
    "knowledge delete",
    "knowledge import",
    "models default",
    "models disable",
    "models enable",
    "models label",
    "models set-tier",
    "plan set",
    "retention run",
    "retention set",
    "settings business",
    "settings embedding remove",
    "settings embedding set",
    "settings provider remove",
    "settings provider set",
    "settings set",
    "tool add",
    "tool disable",
    "tool enable",
    "tool remove",
    "tool set",
    "tool test",
    "usage rate",
    "visitor delete",
    "visitor export",
};

const char *trace_actor(void)
{
    static char actor[64];
    const struct passwd *user = getpwuid(getuid());

    if (user != NULL)
        snprintf(actor, sizeof(actor), "cli:%.50s", user->pw_name);
    else
        snprintf(actor, sizeof(actor), "cli:%lu", (unsigned long)getuid());
    return actor;
}

void trace_org(const char *org)
{
    snprintf(found_org, sizeof(found_org), "%s", org);
}

/* What is done by the words from argv[*at] on, of which *at then is the next; NULL: nothing that
 * changes anything. */
static const char *changing_at(struct arena *a, int argc, char *const *argv, int *at)
{
    const char *action = argv[0];

    for (int last = *at + WORDS_MAX; *at < argc && *at < last;) {
        action = arena_printf(a, "%s %s", action, argv[(*at)++]);
        for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++) {
            if (strcmp(changing[i], action) == 0)
                return changing[i];
        }
    }
    return NULL;
}

/* The words stand behind the last option, or behind its value. */
static const char *action_of(struct arena *a, int argc, char *const *argv, int *at)
{
    int first = 1;

    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0')
            first = i + 1;
    }
    *at = first;
    const char *action = changing_at(a, argc, argv, at);
    if (action != NULL || first == 1)
        return action;
    *at = first + 1;
    return changing_at(a, argc, argv, at);
}

void trace_write(const struct config *config, int argc, char *const *argv, int status)
{
    struct arena a;
    int at;

    if (found_org[0] == '\0')
        return;
    arena_init(&a);
    const char *action = action_of(&a, argc, argv, &at);
    /* a NAME=VALUE may have a value that is nobody's to read */
    const char *target = action != NULL && at < argc ? argv[at] : "";
    const struct audit_entry entry = {.org = found_org,
                                      .actor = trace_actor(),
                                      .action = action,
                                      .target = arena_strndup(&a, target, strcspn(target, "=")),
                                      .after = arena_printf(&a, "{\"status\": %d}", status)};
    if (action != NULL) {
        struct db *db = db_new(config->database_url, "frontdesk trace");
        if (audit_write(db, &entry) != DB_OK)
            fprintf(stderr, "warning: no audit row was written: %s\n", db_error(db));
        db_free(db);
    }
    arena_free(&a);
}
