/* A real PostgreSQL on a unix socket in a directory of its own, for unit tests. The
 * roles are those of an installation: pg->owner migrates, pg->app is what a worker
 * signs in as, pg->super sees everything. */
#ifndef T_UNIT_PG_FIXTURE_H
#define T_UNIT_PG_FIXTURE_H

#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

struct pg_fixture {
    char dir[64];
    char bin[128];
    const char *as; /* "runuser ... --" for root, which PostgreSQL refuses */
    char super[160];
    char owner[160];
    char app[160];
};

__attribute__((format(printf, 1, 2))) static inline bool pg_shell(const char *format, ...)
{
    char command[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    return system(command) == 0;
}

/* As the superuser, from outside of what is tested; the first cell, "" without one. */
static inline const char *pg_do(const struct pg_fixture *pg, const char *sql)
{
    static char cell[4096];
    PGconn *conn = PQconnectdb(pg->super);
    PGresult *result = PQexec(conn, sql);

    cell[0] = '\0';
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0)
        snprintf(cell, sizeof(cell), "%s", PQgetvalue(result, 0, 0));
    else if (PQresultStatus(result) == PGRES_FATAL_ERROR)
        fprintf(stderr, "# %s", PQerrorMessage(conn));
    PQclear(result);
    PQfinish(conn);
    return cell;
}

/* The newest that is installed, or another (STACK_PG_BIN, as for scripts/stack). */
static inline bool pg_bin_dir(struct pg_fixture *pg)
{
    const char *given = getenv("STACK_PG_BIN");

    if (given != NULL) {
        snprintf(pg->bin, sizeof(pg->bin), "%s", given);
        return true;
    }
    FILE *pipe = popen("ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1", "r");
    bool ok = pipe != NULL && fgets(pg->bin, sizeof(pg->bin), pipe) != NULL;

    if (pipe != NULL)
        pclose(pipe);
    pg->bin[strcspn(pg->bin, "\n")] = '\0';
    return ok;
}

static inline bool pg_start(struct pg_fixture *pg)
{
    const struct passwd *postgres = getpwnam("postgres");

    pg->as = geteuid() == 0 ? "runuser -u postgres --" : "";
    snprintf(pg->dir, sizeof(pg->dir), "/tmp/fd-pg-XXXXXX");
    if (!pg_bin_dir(pg) || mkdtemp(pg->dir) == NULL ||
        (geteuid() == 0 && (postgres == NULL || chown(pg->dir, postgres->pw_uid, 0) != 0)))
        return false;
    snprintf(pg->super, sizeof(pg->super), "host=%s user=fixture dbname=postgres", pg->dir);
    snprintf(pg->owner, sizeof(pg->owner), "host=%s user=fixture_owner dbname=fixture", pg->dir);
    snprintf(pg->app, sizeof(pg->app), "host=%s user=frontdesk_app dbname=fixture", pg->dir);
    if (!pg_shell("cd / && %s %s/initdb -D %s/data -A trust -U fixture --no-sync -E UTF8 "
                  "--locale=C.UTF-8 >/dev/null",
                  pg->as, pg->bin, pg->dir) ||
        !pg_shell("cd / && %s %s/pg_ctl -D %s/data -w -s -l %s/log -o \"-c listen_addresses= "
                  "-c unix_socket_directories=%s -c fsync=off -c max_connections=30\" start",
                  pg->as, pg->bin, pg->dir, pg->dir, pg->dir))
        return false;
    pg_do(pg, "CREATE ROLE fixture_owner LOGIN CREATEROLE");
    pg_do(pg, "CREATE DATABASE fixture OWNER fixture_owner");
    snprintf(pg->super, sizeof(pg->super), "host=%s user=fixture dbname=fixture", pg->dir);
    return true;
}

static inline void pg_end(const struct pg_fixture *pg)
{
    pg_shell("cd / && %s %s/pg_ctl -D %s/data -s -m immediate stop; rm -rf %s", pg->as, pg->bin,
             pg->dir, pg->dir);
}

#endif
