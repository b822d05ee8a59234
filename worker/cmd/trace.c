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
static const struct change {
    const char *action;
    struct deed deed;
    bool named; /* the next word is what it is done to */
} changing[] = {
    {"approvals approve", {"approvals", "approve"}, true},
    {"approvals decline", {"approvals", "decline"}, true},
    {"budget set", {"budget", "change"}},
    {"conversations export", {"conversations", "export"}},
    {"identity create", {"identity-secrets", "create"}},
    {"identity revoke", {"identity-secrets", "remove"}, true},
    {"integration add", {"integrations", "create"}},
    {"integration disable", {"integrations", "disable"}, true},
    {"integration enable", {"integrations", "enable"}, true},
    {"integration endpoint add", {"endpoints", "create"}},
    {"integration endpoint disable", {"endpoints", "disable"}, true},
    {"integration endpoint enable", {"endpoints", "enable"}, true},
    {"integration endpoint remove", {"endpoints", "remove"}, true},
    {"integration remove", {"integrations", "remove"}, true},
    {"integration set", {"integrations", "change"}, true},
    {"integration test", {"integrations", "test"}, true},
    {"key create", {"keys", "create"}},
    {"key revoke", {"keys", "remove"}, true},
    {"key rotate", {"keys", "rotate"}, true},
    {"knowledge delete", {"articles", "remove"}, true},
    {"knowledge import", {"articles", "create"}},
    {"models default", {"models", "change"}},
    {"models disable", {"models", "disable"}},
    {"models enable", {"models", "enable"}},
    {"models label", {"models", "change"}},
    {"models set-tier", {"models", "change"}},
    {"plan set", {"plan", "change"}},
    {"retention run", {"retention", "run"}},
    {"retention set", {"retention", "change"}},
    {"settings business", {"business-info", "change"}},
    {"settings embedding remove", {"embedding", "remove"}},
    {"settings embedding set", {"embedding", "change"}},
    {"settings provider remove", {"provider", "remove"}},
    {"settings provider set", {"provider", "change"}},
    {"settings set", {"ai-settings", "change"}},
    {"test-cases run", {"test-runs", "create"}},
    {"tool add", {"tools", "create"}, true},
    {"tool disable", {"tools", "disable"}, true},
    {"tool enable", {"tools", "enable"}, true},
    {"tool remove", {"tools", "remove"}, true},
    {"tool set", {"tools", "change"}, true},
    {"tool test", {"tools", "test"}, true},
    {"usage rate", {"prices", "change"}},
    {"visitor delete", {"visitors", "delete"}},
    {"visitor export", {"visitors", "export"}},
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
static const struct change *changing_at(struct arena *a, int argc, char *const *argv, int *at)
{
    const char *action = argv[0];

    for (int last = *at + WORDS_MAX; *at < argc && *at < last;) {
        action = arena_printf(a, "%s %s", action, argv[(*at)++]);
        for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++) {
            if (strcmp(changing[i].action, action) == 0)
                return &changing[i];
        }
    }
    return NULL;
}

/* The words stand behind the last option, or behind its value. */
static const struct change *change_of(struct arena *a, int argc, char *const *argv, int *at)
{
    int first = 1;

    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0')
            first = i + 1;
    }
    *at = first;
    const struct change *change = changing_at(a, argc, argv, at);
    if (change != NULL || first == 1)
        return change;
    *at = first + 1;
    return changing_at(a, argc, argv, at);
}

static void write_row(const struct config *config, struct arena *a, const struct change *change,
                      const char *next, int status)
{
    /* a NAME=VALUE may have a value that is nobody's to read */
    const char *target = arena_strndup(a, next, strcspn(next, "="));
    bool named = change->named && target[0] != '\0';
    const char *kind = change->deed.kind;
    const struct audit_entry entry = {.org = found_org,
                                      .actor = trace_actor(),
                                      .action = change->action,
                                      .target = target,
                                      .deed = change->deed,
                                      .thing =
                                          named ? arena_printf(a, "%s/%s", kind, target) : kind,
                                      .after = arena_printf(a, "{\"status\": %d}", status)};

    struct db *db = db_new(config->database_url, "frontdesk trace");
    if (audit_write(db, &entry) != DB_OK)
        fprintf(stderr, "warning: no audit row was written: %s\n", db_error(db));
    db_free(db);
}

void trace_write(const struct config *config, int argc, char *const *argv, int status)
{
    struct arena a;
    int at;

    if (found_org[0] == '\0')
        return;
    arena_init(&a);
    const struct change *change = change_of(&a, argc, argv, &at);
    if (change != NULL)
        write_row(config, &a, change, at < argc ? argv[at] : "", status);
    arena_free(&a);
}
