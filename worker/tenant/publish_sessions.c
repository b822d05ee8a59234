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

/* What has expired leaves the set, so that it is as long as the claims are good and no longer. */
static void forget_expired(struct pipe *live)
{
    char now[DB_NUMBER_SIZE];

    pipe_send(live, 4,
              (const char *const[]){"ZREMRANGEBYSCORE", FD_KEY_ENDED, "-inf",
                                    db_number(now, clock_wall_ms() / 1000)});
}

/* The set before the hint: who missed the hint reads the set. */
static void write_ended(struct pipe *live, const char *session, int64_t access_until)
{
    char until[DB_NUMBER_SIZE], hint[64];

    pipe_send(live, 4,
              (const char *const[]){"ZADD", FD_KEY_ENDED, db_number(until, access_until + SLACK_S),
                                    session});
    snprintf(hint, sizeof(hint), FD_CONTROL_SESSION " %s", session);
    pipe_send(live, 3, (const char *const[]){"PUBLISH", FD_CHANNEL_CONTROL, hint});
}

void publish_ended(struct publisher *p, const PGresult *sessions)
{
    forget_expired(&p->live);
    for (int row = 0; row < PQntuples(sessions); row++)
        write_ended(&p->live, db_text(sessions, row, 0), db_int(sessions, row, 1, 0));
}

struct ended_sessions *ended_sessions_copy(struct arena *a, const PGresult *rows)
{
    int count = PQntuples(rows);
    struct ended_sessions *ended =
        arena_alloc(a, sizeof(*ended) + (size_t)count * sizeof(ended->at[0]));

    ended->count = (size_t)count;
    for (int row = 0; row < count; row++) {
        snprintf(ended->at[row].id, sizeof(ended->at[row].id), "%s", db_text(rows, row, 0));
        ended->at[row].access_until = db_int(rows, row, 1, 0);
    }
    return ended;
}

bool publish_sessions(const struct config *config, const struct ended_sessions *ended,
                      char error[256])
{
    struct pipe live = {.error = error};

    error[0] = '\0';
    if (ended->count == 0)
        return true;
    live.redis = redis_sync_connect(config->live_redis, TIMEOUT_MS, error);
    if (live.redis != NULL) {
        forget_expired(&live);
        for (size_t i = 0; i < ended->count; i++)
            write_ended(&live, ended->at[i].id, ended->at[i].access_until);
    }
    bool written = pipe_flush(&live);
    redisFree(live.redis);
    return written;
}
