/* frontdesk prompt: what an organisation's questions are sent with, and whether a directory
 * of prompt files is as it must be. */
#include "cmd/cmd.h"
#include "cmd/org.h"

#include "context/tenant_prompt.h"
#include "chat/toolbox.h"
#include "core/clock.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define LANGUAGE_MAX 35

struct prompt_command {
    const char *org; /* as given */
    const char *language;
};

static int check(const char *directory)
{
    char error[256];
    struct prompt_set *set = prompt_load(directory, error);

    if (set == NULL) {
        fprintf(stderr, "frontdesk prompt: %s\n", error);
        return 1;
    }
    prompt_free(set);
    printf("%s: the prompts are as they must be\n", directory);
    return 0;
}

static void print(const struct prompt_set *set, const struct tenant *tenant,
                  const struct toolbox *tools, const char *language)
{
    struct arena a;

    arena_init(&a);
    struct prompt_values values =
        tenant_prompt(&a, tenant, tools->offered, tools->set.count,
                      language != NULL ? language : tenant->language, clock_wall_ms());
    values.context = "[id] (what was found for the question)";
    values.question = "(the question)";
    printf("-- system\n%s\n", prompt_system(set, &a, &values));
    printf("-- user\n%s", prompt_turn(set, &a, &values));
    arena_free(&a);
}

static int show(const struct prompt_command *c, struct db *db, const struct config *config)
{
    struct prompt_set *set = NULL;
    struct tenant *tenant = NULL;
    struct toolbox *tools = NULL;
    char org[37], error[256];
    int rc = 1;

    if (!cmd_find_org(db, "prompt", c->org, org))
        return 1;
    if (tenant_load(db, config, org, &tenant) != DB_OK || toolbox_load(db, org, &tools) != DB_OK)
        cmd_complain("prompt", db);
    else if (tenant == NULL)
        fputs("frontdesk prompt: the organisation is gone\n", stderr);
    else if ((set = prompt_load(config->prompts_dir, error)) == NULL)
        fprintf(stderr, "frontdesk prompt: %s\n", error);
    else
        rc = 0;
    if (rc == 0)
        print(set, tenant, tools, c->language);
    prompt_free(set);
    toolbox_unref(tools);
    tenant_unref(tenant);
    return rc;
}

static bool parse(int argc, char **argv, struct prompt_command *c)
{
    static const struct option known[] = {
        {"org", required_argument, NULL, 'o'}, {"language", required_argument, NULL, 'l'}, {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c->org = optarg; break;
        case 'l': c->language = optarg; break;
        default: return false;
        }
    }
    return c->language == NULL || (*c->language != '\0' && strlen(c->language) <= LANGUAGE_MAX);
}

int cmd_prompt(int argc, char **argv, const struct config *config)
{
    struct prompt_command c = {0};

    if (!parse(argc, argv, &c) || optind == argc)
        return cmd_usage("prompt");
    const char *action = argv[optind++];
    if (strcmp(action, "check") == 0 && c.org == NULL && c.language == NULL && argc - optind < 2)
        return check(optind < argc ? argv[optind] : config->prompts_dir);
    if (strcmp(action, "show") != 0 || c.org == NULL || optind != argc)
        return cmd_usage("prompt");
    struct db *db = db_new(config->database_url, "frontdesk prompt");
    int rc = show(&c, db, config);
    db_free(db);
    return rc;
}
