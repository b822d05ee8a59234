/* frontdesk migrate [up] | status: the database's schema, as its owner. */
#include "cmd/cmd.h"
#include "db/migrate.h"

#include <stdio.h>
#include <string.h>

static int complain(const char *text)
{
    fprintf(stderr, "frontdesk migrate: %s\n", text);
    return 1;
}

static void say_applied(const struct migration *migration)
{
    printf("applied %s\n", migration->name);
}

static int print_status(const struct migration_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct migration *m = &list->items[i];
        printf("%-20s  %s\n", m->applied_at != NULL ? m->applied_at : "pending", m->name);
    }
    printf("%zu of %zu applied\n", list->count - list->pending, list->count);
    return list->pending > 0 ? 1 : 0;
}

static int run(struct db *db, struct arena *a, const struct config *config, bool up)
{
    struct migration_list list;
    char error[256];

    if (!migrate_read(a, config->migrations_dir, &list, error)) {
        return complain(error);
    }
    enum db_status status =
        up ? migrate_up(db, a, &list, say_applied) : migrate_compare(db, a, &list);
    if (status != DB_OK) {
        return complain(db_error(db));
    }
    if (!up) {
        return print_status(&list);
    }
    printf("the database is at %s\n", list.items[list.count - 1].name);
    return 0;
}

int cmd_migrate(int argc, char **argv, const struct config *config)
{
    struct arena a;
    const char *verb = argc > 1 ? argv[1] : "up";

    if (argc > 2 || (strcmp(verb, "up") != 0 && strcmp(verb, "status") != 0)) {
        return cmd_usage("migrate");
    }
    if (config->owner_database_url == NULL) {
        return complain("FRONTDESK_OWNER_DATABASE_URL is not set: the role that owns the tables, "
                        "not the application's");
    }
    struct db *db = db_new(config->owner_database_url, "frontdesk migrate");
    arena_init(&a);
    int rc = run(db, &a, config, strcmp(verb, "up") == 0);
    arena_free(&a);
    db_free(db);
    return rc;
}
