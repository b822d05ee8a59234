#include "tenant/demo.h"

#include "core/file.h"
#include "tenant/password.h"
#include "tenant/users.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Written before the account is made: a password that nobody could write down is lost. */
static bool write_owner(const char *file, const char *password, char error[512])
{
    unlink(file);
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool ok = out != NULL && fprintf(out,
                                     "FRONTDESK_DEMO_OWNER_EMAIL=" DEMO_OWNER "\n"
                                     "FRONTDESK_DEMO_OWNER_PASSWORD=%s\n",
                                     password) > 0;

    if (out != NULL)
        ok = fclose(out) == 0 && ok;
    else if (fd >= 0)
        close(fd);
    if (!ok)
        snprintf(error, 512, "%.300s: %s", file, strerror(errno));
    return ok;
}

bool demo_owner(struct db *db, const char *file, char error[512])
{
    char password[PASSWORD_GENERATED_SIZE], id[37];
    PGresult *ended = NULL; /* nginx learns of it when a worker synchronises */
    const struct user_new owner = {.org = DEMO_ORG,
                                   .email = DEMO_OWNER,
                                   .name = "Demo Owner",
                                   .role = "owner",
                                   .password = password};
    bool there = access(file, R_OK) == 0;
    enum db_status found = users_find(db, DEMO_ORG, DEMO_OWNER, id);

    if (found == DB_OK && there)
        return true;
    password_generate(password);
    bool unknown = found == DB_FAILED && db_sqlstate(db)[0] == '\0';
    bool ok = (found == DB_OK || unknown) && write_owner(file, password, error);
    if (found != DB_OK && !unknown)
        snprintf(error, 512, "%.500s", db_error(db));
    enum db_status status = !ok ? DB_OK
                            : unknown
                                ? users_create(db, &owner, user_role_rank("owner"), id)
                                : users_set_password(db, DEMO_ORG, id, password, NULL, &ended);
    PQclear(ended);
    if (status != DB_OK) {
        snprintf(error, 512, "%.500s", db_error(db));
        unlink(file);
    }
    sodium_memzero(password, sizeof(password));
    return ok && status == DB_OK;
}
