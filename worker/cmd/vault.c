/* frontdesk vault init|rotate: the keys under which tenants' credentials lie in
 * PostgreSQL. */
#include "cmd/cmd.h"
#include "core/vault.h"
#include "db/db.h"
#include "tenant/sealed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int complain(const char *text)
{
    fprintf(stderr, "frontdesk vault: %s\n", text);
    return 1;
}

static int init(const struct config *config)
{
    struct vault vault = {0};
    char error[256];
    bool ok;

    if (config->vault_keys == NULL)
        return complain("set FRONTDESK_VAULT_KEYS to the file that is to be made");
    ok = vault_add_key(&vault) && vault_save(&vault, config->vault_keys, true, error);
    vault_wipe(&vault);
    if (!ok)
        return complain(error);
    printf("made %s\nKeep a copy in a safe place: without it no stored credential opens.\n",
           config->vault_keys);
    return 0;
}

static int rotate(const struct config *config)
{
    struct db *db = db_new(config->database_url, "frontdesk vault");
    int64_t rows, lost;
    char error[256];
    bool ok = sealed_rotate(db, config->vault_keys, &rows, &lost, error);

    db_free(db);
    if (!ok)
        return complain(error);
    printf("%" PRId64 " credentials are under a new key; the old keys are gone from %s\n", rows,
           config->vault_keys);
    if (lost > 0)
        fprintf(stderr, "warning: %" PRId64 " opened with no key and have to be given again\n",
                lost);
    return 0;
}

int cmd_vault(int argc, char **argv, const struct config *config)
{
    if (argc == 2 && strcmp(argv[1], "init") == 0)
        return init(config);
    if (argc == 2 && strcmp(argv[1], "rotate") == 0)
        return rotate(config);
    return cmd_usage("vault");
}
