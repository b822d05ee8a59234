#include "integration/database.h"
#include "core/clock.h"
#include "core/host_port.h"
#include "net/outbound.h"

#include <errno.h>
#include <linux/tcp.h> /* glibc's knows no tcpi_bytes_received */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECT_MS   5000
#define GREETING_MAX 65536 /* certificates, parameters, a notice or two */
#define CA_FILE      "/etc/ssl/certs/ca-certificates.crt"
#define NO_FILE      "/nonexistent/frontdesk" /* instead of those of our own user */

bool database_place_read(const char *text, struct database_place *place)
{
    const char *slash = strchr(text, '/');
    char host[HOST_SIZE + 8];
    const char *at = host;
    struct host_port entry;

    if (slash == NULL || slash[1] == '\0' || (size_t)(slash - text) >= sizeof(host) ||
        strpbrk(slash + 1, "/?#= '\\") != NULL)
        return false;
    snprintf(host, sizeof(host), "%.*s", (int)(slash - text), text);
    if (strchr(host, ',') != NULL || !host_port_next(&at, DATABASE_PORT, &entry) || *at != '\0')
        return false;
    snprintf(place->host, sizeof(place->host), "%s", entry.host);
    place->port = entry.port;
    place->name = slash + 1;
    return true;
}

/* libpq's messages have several lines. */
static void keep_line(char error[256], const char *what, const char *said)
{
    snprintf(error, 256, "%s: %.200s", what, said);
    for (char *s = error; *s != '\0'; s++) {
        if ((unsigned char)*s < ' ')
            *s = ' ';
    }
}

bool database_wait(PGconn *conn, bool for_write, int64_t deadline_ms)
{
    struct pollfd fd = {.fd = PQsocket(conn),
                        .events = (short)(POLLIN | (for_write ? POLLOUT : 0))};

    for (;;) {
        int64_t left = deadline_ms - clock_mono_ms();
        int ready = left > 0 ? poll(&fd, 1, (int)left) : 0;

        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

/* Everything that our own environment and files could otherwise say is said here. */
static PGconn *start(const struct integration *integration, const struct database_place *place,
                     const char *address)
{
    const char *sslmode = fd_json_string(integration->settings, "sslmode");
    /* An empty text counts as unset; a pooler refuses whatever is sent. */
    const char *no_options = getenv("PGOPTIONS") != NULL ? " " : NULL;
    char port[8];
    const char *const keys[] = {"host",
                                "hostaddr",
                                "port",
                                "dbname",
                                "user",
                                "password",
                                "sslmode",
                                "sslrootcert",
                                "sslcert",
                                "passfile",
                                "gssencmode",
                                "target_session_attrs",
                                "options",
                                "client_encoding",
                                "application_name",
                                NULL};
    const char *const values[] = {place->host,
                                  address,
                                  port,
                                  place->name,
                                  fd_json_string(integration->secrets, "username"),
                                  fd_json_string(integration->secrets, "password"),
                                  sslmode != NULL ? sslmode : "require",
                                  sslmode != NULL && strcmp(sslmode, "verify-full") == 0 ? CA_FILE
                                                                                         : NO_FILE,
                                  NO_FILE,
                                  NO_FILE,
                                  "disable",
                                  "any",
                                  no_options,
                                  "UTF8",
                                  "frontdesk",
                                  NULL};

    snprintf(port, sizeof(port), "%d", place->port);
    return PQconnectStartParams(keys, values, 0);
}

bool database_sent_more(PGconn *conn, uint64_t most)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    return getsockopt(PQsocket(conn), IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
           info.tcpi_bytes_received > most;
}

/* libpq would print it where our log is. */
static void ignore_notice(void *arg, const PGresult *notice)
{
    (void)arg;
    (void)notice;
}

static bool finish(PGconn *conn, int64_t deadline_ms)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;

    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED)
            return false;
        if (PQstatus(conn) == CONNECTION_BAD ||
            !database_wait(conn, state == PGRES_POLLING_WRITING, deadline_ms) ||
            database_sent_more(conn, GREETING_MAX))
            return false;
        state = PQconnectPoll(conn);
    }
    return true;
}

/* Without them libpq would take our own from the environment. */
static bool has_text(const struct fd_json *object, const char *name)
{
    const char *text = fd_json_string(object, name);

    return text != NULL && text[0] != '\0';
}

static enum tool_failure failure_of(enum outbound_failure failure)
{
    return failure == OUTBOUND_BLOCKED ? TOOL_BLOCKED : TOOL_UNREACHABLE;
}

PGconn *database_connect(const struct integration *integration, const char *allow,
                         int64_t deadline_ms, enum tool_failure *failure, char error[256])
{
    int64_t connect_by = clock_mono_ms() + CONNECT_MS;
    enum outbound_failure resolved;
    struct database_place place;
    char address[OUTBOUND_ADDRESS_SIZE];
    PGconn *conn;

    if (connect_by > deadline_ms)
        connect_by = deadline_ms;
    *failure = TOOL_BLOCKED;
    if (!has_text(integration->secrets, "username") ||
        !has_text(integration->secrets, "password")) {
        snprintf(error, 256, "the credentials are incomplete: give them again");
        return NULL;
    }
    if (!database_place_read(integration->base_url, &place)) {
        snprintf(error, 256, "the database must be host:port/name");
        return NULL;
    }
    resolved = outbound_resolve(allow, place.host, place.port, (int)(connect_by - clock_mono_ms()),
                                address, error);
    *failure = failure_of(resolved);
    if (resolved != OUTBOUND_OK)
        return NULL;
    conn = start(integration, &place, address);
    PQsetNoticeReceiver(conn, ignore_notice, NULL);
    if (conn != NULL && finish(conn, connect_by))
        return conn;
    if (conn != NULL && database_sent_more(conn, GREETING_MAX))
        snprintf(error, 256, "no connection: the database sends too much before it is ready");
    else if (conn == NULL || PQstatus(conn) == CONNECTION_BAD)
        keep_line(error, "no connection", conn != NULL ? PQerrorMessage(conn) : "out of memory");
    else
        snprintf(error, 256, "no connection within %d ms", CONNECT_MS);
    PQfinish(conn);
    return NULL;
}
