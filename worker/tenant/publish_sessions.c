#include "tenant/publish_sessions.h"

#include "core/clock.h"
#include "net/redis_sync.h"
#include "protocol/keys.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 2000
#define SLACK_S    60 /* for clocks that disagree */

static const struct db_statement read_ended = {
    "publish_ended_sessions", "SELECT session_id, access_until FROM platform_ended_sessions($1)",
    1};

enum db_status publish_read_ended(struct db *db, const char *org, PGresult **sessions)
{
    return db_exec(db, &read_ended, &org, sessions);
}

/* The set before the hint: who missed the hint reads the set. What has expired leaves it,
 * so that it is as long as the claims are good and no longer. */
static void write_ended(struct pipe *live, const PGresult *sessions)
{
    char until[DB_NUMBER_SIZE], now[DB_NUMBER_SIZE], hint[64];

    pipe_send(live, 4,
              (const char *const[]){"ZREMRANGEBYSCORE", FD_KEY_ENDED, "-inf",
                                    db_number(now, clock_wall_ms() / 1000)});
    for (int row = 0; row < PQntuples(sessions); row++) {
        const char *session = db_text(sessions, row, 0);
        pipe_send(live, 4,
                  (const char *const[]){"ZADD", FD_KEY_ENDED,
                                        db_number(until, db_int(sessions, row, 1, 0) + SLACK_S),
                                        session});
        snprintf(hint, sizeof(hint), FD_CONTROL_SESSION " %s", session);
        pipe_send(live, 3, (const char *const[]){"PUBLISH", FD_CHANNEL_CONTROL, hint});
    }
}

void publish_ended(struct publisher *p, const PGresult *sessions)
{
    write_ended(&p->live, sessions);
}

bool publish_sessions(const struct config *config, const PGresult *ended, char error[256])
{
    struct pipe live = {.error = error};

    error[0] = '\0';
    if (PQntuples(ended) == 0)
        return true;
    live.redis = redis_sync_connect(config->live_redis, TIMEOUT_MS, error);
    if (live.redis != NULL)
        write_ended(&live, ended);
    bool written = pipe_flush(&live);
    redisFree(live.redis);
    return written;
}
