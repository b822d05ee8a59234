/* Database: where a client's PostgreSQL is, "host[:port]/name", and a connection to it
 * that lives for one query: judged address, no settings from our own environment. */
#ifndef FD_INTEGRATION_DATABASE_H
#define FD_INTEGRATION_DATABASE_H

#include "core/arena.h"
#include "integration/integration.h"
#include "tool/tool.h"

#include <libpq-fe.h>
#include <stdint.h>

#define DATABASE_PORT 5432

struct database_place {
    char host[256];
    int port;
    const char *name;
};

/* False: it is not "host[:port]/name". */
bool database_place_read(const char *text, struct database_place *place);

/* NULL: failure and error say why. deadline_ms is monotonic. */
PGconn *database_connect(const struct integration *integration, const char *allow,
                         int64_t deadline_ms, enum tool_failure *failure, char error[256]);
/* Until something may be read (or written, where wanted); false: the deadline is over. */
bool database_wait(PGconn *conn, bool for_write, int64_t deadline_ms);
/* Has the server sent more bytes than that, since it was connected? libpq takes what comes. */
bool database_sent_more(PGconn *conn, uint64_t most);

#endif
