#include "tenant/demo.h"

#include "core/file.h"
#include "tenant/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PAGE_KEY   "Demo page"
#define SERVER_KEY "Demo server"

#define ORG_NAME         "FRONTDESK_DEMO_ORG"
#define PUBLISHABLE_NAME "FRONTDESK_DEMO_PUBLISHABLE_KEY"
#define SECRET_NAME      "FRONTDESK_DEMO_SECRET_KEY"

static const struct db_statement live_keys = {"demo_live_keys",
                                              "SELECT id, kind, key_sha256 FROM api_keys"
                                              " WHERE org_id = $1 AND name IN ('" PAGE_KEY
                                              "', '" SERVER_KEY "') AND revoked_at IS NULL"
                                              "   AND (expires_at IS NULL OR expires_at > now())",
                                              1};

void demo_keys_print(const struct demo_keys *keys, FILE *out)
{
    fprintf(out, ORG_NAME "=%s\n", DEMO_ORG);
    if (keys->known) {
        fprintf(out, PUBLISHABLE_NAME "=%s\n" SECRET_NAME "=%s\n", keys->publishable, keys->secret);
    }
}

/* -- the file -------------------------------------------------------------------- */

static bool take_value(const char *text, const char *name, char key[FD_API_KEY_SIZE])
{
    const char *at = strstr(text, name);
    if (at == NULL || at[strlen(name)] != '=') {
        return false;
    }
    at += strlen(name) + 1;
    size_t len = strcspn(at, "\r\n");
    if (!fd_api_key_valid(at, len, NULL)) {
        return false;
    }
    memcpy(key, at, len);
    key[len] = '\0';
    return true;
}

static bool read_keys(const char *file, struct demo_keys *keys)
{
    struct arena a;
    char why[256];
    size_t len;

    arena_init(&a);
    const char *text = file_read(&a, file, 4096, &len, why);
    bool ok = text != NULL && take_value(text, PUBLISHABLE_NAME, keys->publishable) &&
              take_value(text, SECRET_NAME, keys->secret);
    arena_free(&a);
    return ok;
}

/* Opened before a key is made: one that cannot be written down would be lost. */
static FILE *open_new(const char *path, char error[512])
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (out == NULL) {
        snprintf(error, 512, "%.300s: %s", path, strerror(errno));
    }
    return out;
}

static bool close_new(FILE *out, const char *path, const char *file, char error[512])
{
    bool ok = fflush(out) == 0 && fsync(fileno(out)) == 0;
    ok = fclose(out) == 0 && ok && rename(path, file) == 0;
    if (!ok) {
        snprintf(error, 512, "%.300s: %s", file, strerror(errno));
    }
    return ok;
}

/* -- the database ---------------------------------------------------------------- */

static const char *id_of_live(const PGresult *live, const char *key)
{
    char sha256[FD_SHA256_HEX_SIZE];
    fd_sha256_hex(sha256, key, strlen(key));
    for (int row = 0; row < PQntuples(live); row++) {
        if (strcmp(db_text(live, row, 2), sha256) == 0) {
            return db_text(live, row, 0);
        }
    }
    return NULL;
}

static enum db_status replace_keys(struct db *db, const PGresult *live, const char *const *origins,
                                   size_t origin_count, struct demo_keys *keys)
{
    char sha256[FD_SHA256_HEX_SIZE], id[37];
    const struct key_new page = {.org = DEMO_ORG,
                                 .name = PAGE_KEY,
                                 .kind = FD_KEY_PUBLISHABLE,
                                 .origins = origins,
                                 .origin_count = origin_count};
    const struct key_new server = {.org = DEMO_ORG, .name = SERVER_KEY, .kind = FD_KEY_SECRET};
    enum db_status status = DB_OK;

    for (int row = 0; status == DB_OK && row < PQntuples(live); row++) {
        status = keys_revoke(db, DEMO_ORG, db_text(live, row, 0), sha256);
    }
    if (status == DB_OK) {
        status = keys_create(db, &page, keys->publishable, id);
    }
    if (status == DB_OK) {
        status = keys_create(db, &server, keys->secret, id);
    }
    keys->known = status == DB_OK;
    return status;
}

static bool make_keys(struct db *db, const char *file, const PGresult *live,
                      const char *const *origins, size_t origin_count, struct demo_keys *keys,
                      char error[512])
{
    char path[4096];
    FILE *out = NULL;

    if (file != NULL) {
        if (strlen(file) + sizeof(".new") > sizeof(path)) {
            snprintf(error, 512, "the name of the keys file is too long");
            return false;
        }
        snprintf(path, sizeof(path), "%s.new", file);
        out = open_new(path, error);
        if (out == NULL) {
            return false;
        }
    }
    if (replace_keys(db, live, origins, origin_count, keys) != DB_OK) {
        snprintf(error, 512, "%.500s", db_error(db));
        if (out != NULL) {
            fclose(out);
            unlink(path);
        }
        return false;
    }
    if (out == NULL) {
        return true;
    }
    demo_keys_print(keys, out);
    return close_new(out, path, file, error);
}

bool demo_keys(struct db *db, const char *file, const char *const *origins, size_t origin_count,
               struct demo_keys *keys, char error[512])
{
    const char *org = DEMO_ORG;
    PGresult *live;
    bool changed, ok = true;

    *keys = (struct demo_keys){0};
    if (db_query(db, DEMO_ORG, &live_keys, &org, &live) != DB_OK) {
        snprintf(error, 512, "%.500s", db_error(db));
        return false;
    }
    const char *page = NULL;
    if (file != NULL && read_keys(file, keys) && id_of_live(live, keys->secret) != NULL) {
        page = id_of_live(live, keys->publishable);
    }
    if (page != NULL) {
        keys->known = true;
        if (keys_set_origins(db, DEMO_ORG, page, origins, origin_count, &changed) != DB_OK) {
            snprintf(error, 512, "%.500s", db_error(db));
            ok = false;
        }
    } else if (file != NULL || PQntuples(live) == 0) {
        ok = make_keys(db, file, live, origins, origin_count, keys, error);
    }
    PQclear(live);
    return ok;
}
